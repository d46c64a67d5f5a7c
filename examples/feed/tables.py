"""The contents of the two databases: a few people, and what was written. The same each time."""

USERS = 50
TOPICS = ("music", "books", "chess", "trains", "news")

PROFILE = f"""
CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, likes text NOT NULL);
INSERT INTO users
SELECT id, (ARRAY['Ada', 'Alan', 'Barbara', 'Edsger', 'Grace', 'Ken', 'Leslie', 'Tony'])[1 + id % 8] || ' ' || id,
       (ARRAY{list(TOPICS)})[1 + id % {len(TOPICS)}]
FROM generate_series(1, {USERS}) AS id;
"""

POST = f"""
CREATE TABLE posts (id integer PRIMARY KEY, author integer NOT NULL, topic text NOT NULL, title text NOT NULL,
                    score integer NOT NULL);
INSERT INTO posts
SELECT id, 1 + id * 7 % {USERS}, topic, 'Note ' || id || ' on ' || topic, id * 7919 % 1009
FROM (SELECT id, (ARRAY{list(TOPICS)})[1 + id % {len(TOPICS)}] AS topic FROM generate_series(1, 1000) AS id) AS numbered;
CREATE INDEX ON posts (topic, score DESC);
CREATE INDEX ON posts (score DESC);
"""
