"""feed: the page that somebody sees. GET /feed?user=7 gives {"recommended": […], "trending": […]}.

It asks recommendation and trending at the same time, and needs both. That one of them may be a fallback is said in the
header of its answer, not here: a client that does not care need not know.
"""

import asyncio

from .calling import Others
from .serving import Request, parser, serve


class Feed:
    def __init__(self, others: Others):
        self._others = others

    async def answer(self, request: Request) -> dict:
        user = int(request.query["user"])
        recommended, trending = await asyncio.gather(self._others.ask("recommendation", f"/?user={user}", request),
                                                     self._others.ask("trending", "/", request))
        return {"user": user, "recommended": recommended["posts"], "trending": trending["posts"]}


async def main():
    options = parser(__doc__)
    options.add_argument("--via", required=True, help="the proxies' internal listeners, with commas between them")
    chosen = options.parse_args()
    await serve(Feed(Others("feed", chosen.via.split(","))).answer, chosen)


if __name__ == "__main__":
    asyncio.run(main())
