// Keeps what stands in #live as the server has it, each time that something happens.
"use strict";
{
  const kinds = ["begun", "resumed", "planned", "step_begun", "step_ended", "finished", "commit"];
  let live = document.getElementById("live");
  let waiting = false;
  const renew = async () => {
    waiting = false;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (!fresh) return;
    const focused = document.activeElement?.getAttribute?.("href");
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
