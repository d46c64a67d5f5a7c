"""recommendation: what somebody may like. GET /?user=7 gives {"for": "Ada", "posts": […]}.

It asks profile what the user likes, and post for the best of that. A profile that is not known (an empty answer: the
fallback) is no error: then it recommends what everybody gets.
"""

import asyncio

from .calling import Others
from .serving import Request, parser, serve

FOR_EVERYBODY = "news"


class Recommendation:
    def __init__(self, others: Others):
        self._others = others

    async def answer(self, request: Request) -> dict:
        users = (await self._others.ask("profile", f"/users?ids={int(request.query['user'])}", request))["users"]
        likes = users[0]["likes"] if users else FOR_EVERYBODY
        posts = (await self._others.ask("post", f"/posts?topic={likes}", request))["posts"]
        return {"for": users[0]["name"] if users else None, "posts": [post["title"] for post in posts]}


async def main():
    options = parser(__doc__)
    options.add_argument("--via", required=True, help="the proxies' internal listeners, with commas between them")
    chosen = options.parse_args()
    await serve(Recommendation(Others("recommendation", chosen.via.split(","))).answer, chosen)


if __name__ == "__main__":
    asyncio.run(main())
