// Keeps what stands in #live as the server has it, each time that something happens.
"use strict";
{
  const kinds = ["begun", "resumed", "planned", "step_begun", "step_ended", "steps", "paused", "decided",
    "backing_out", "finished", "commit"];
  let live = document.getElementById("live");
  let waiting = false;
  const renew = async () => {
    waiting = false;
    // Others follow it, too: what was made for one of them a moment ago will do.
    const answer = await fetch(location.href, { headers: { Accept: "text/html", "Cache-Control": "max-age=1" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (!fresh) return;
    const focused = document.activeElement?.getAttribute?.("href");
    // What was unfolded stays so.
    const folds = [...live.querySelectorAll("details")];
    const renewed = [...fresh.querySelectorAll("details")];
    if (folds.length === renewed.length) renewed.forEach((fold, number) => { fold.open = folds[number].open; });
    live.replaceWith(fresh);
    live = fresh;
    if (focused) [...live.querySelectorAll("a")].find(link => link.getAttribute("href") === focused)?.focus();
  };
  const soon = () => {
    if (waiting) return;
    waiting = true;
    setTimeout(() => renew().catch(() => {}), 250);
  };
  if (live) {
    const events = new EventSource(live.dataset.events);
    kinds.forEach(kind => events.addEventListener(kind, soon));
  }
}
