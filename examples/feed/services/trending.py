"""trending: what everybody reads. GET / gives {"posts": [{title, by}]}.

It asks post for the best, and profile who wrote them. Names are nice to have: without them the posts are anonymous.
"""

import asyncio

from .calling import Others
from .serving import Request, parser, serve


class Trending:
    def __init__(self, others: Others):
        self._others = others

    async def answer(self, request: Request) -> dict:
        posts = (await self._others.ask("post", "/posts?top=5", request))["posts"]
        ids = ",".join(str(author) for author in sorted({post["author"] for post in posts}))
        users = (await self._others.ask("profile", f"/users?ids={ids}", request))["users"]
        names = {user["id"]: user["name"] for user in users}
        return {"posts": [{"title": post["title"], "by": names.get(post["author"])} for post in posts]}


async def main():
    options = parser(__doc__)
    options.add_argument("--via", required=True, help="the proxies' internal listeners, with commas between them")
    chosen = options.parse_args()
    await serve(Trending(Others("trending", chosen.via.split(","))).answer, chosen)


if __name__ == "__main__":
    asyncio.run(main())
