"""profile: who somebody is, and what he likes. GET /users?ids=7,12 gives {"users": [{id, name, likes}]}."""

import asyncio

from .database import Database
from .serving import Request, parser, serve

QUERY = "SELECT id, name, likes FROM users WHERE id = ANY(%s)"


class Profile:
    def __init__(self, database: Database):
        self._database = database

    async def answer(self, request: Request) -> dict:
        ids = [int(each) for each in request.query["ids"].split(",")]
        rows = await self._database.fetch(request, QUERY, ids)
        return {"users": [{"id": id, "name": name, "likes": likes} for id, name, likes in rows]}


async def main():
    options = parser(__doc__)
    options.add_argument("--database", required=True, help="as libpq takes it")
    chosen = options.parse_args()
    await serve(Profile(Database(chosen.database)).answer, chosen)


if __name__ == "__main__":
    asyncio.run(main())
