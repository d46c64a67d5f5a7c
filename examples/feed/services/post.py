"""post: what was written. GET /posts?topic=music or /posts?top=5 gives {"posts": [{id, author, topic, title}]}."""

import asyncio

from .database import Database
from .serving import Request, parser, serve

COLUMNS = ("id", "author", "topic", "title")
BY_TOPIC = "SELECT id, author, topic, title FROM posts WHERE topic = %s ORDER BY score DESC LIMIT 5"
BEST = "SELECT id, author, topic, title FROM posts ORDER BY score DESC LIMIT %s"


class Post:
    def __init__(self, database: Database):
        self._database = database

    async def answer(self, request: Request) -> dict:
        if "topic" in request.query:
            rows = await self._database.fetch(request, BY_TOPIC, request.query["topic"])
        else:
            rows = await self._database.fetch(request, BEST, int(request.query["top"]))
        return {"posts": [dict(zip(COLUMNS, row)) for row in rows]}


async def main():
    options = parser(__doc__)
    options.add_argument("--database", required=True, help="as libpq takes it")
    chosen = options.parse_args()
    await serve(Post(Database(chosen.database)).answer, chosen)


if __name__ == "__main__":
    asyncio.run(main())
