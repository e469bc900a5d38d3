// Makes the desk live. Every page works without this: forms are plain forms, and a reload shows what is new.
// With it, a page that is told that it is out of date fetches itself, and only what differs is changed.

const POLL = 10000; // where events don't come
const RECONNECT = 3000;

const page = () => document.querySelector("main");
const lagging = document.getElementById("lagging");
let source = null;
let poll = 0;
let busy = false;
let again = false;

// ---- Time ----

const units = (document.body.dataset.units ?? "").split(",");
const zone = new Intl.DateTimeFormat(document.body.dataset.language, { hour: "2-digit", minute: "2-digit" });

function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
  if (days) return days + " " + units[3];
  if (hours) return hours + " " + units[2] + " " + String(minutes % 60).padStart(2, "0") + " " + units[1];
  return minutes ? minutes + " " + units[1] : seconds + " " + units[0];
}

function tick(root = document) {
  for (const time of root.querySelectorAll("[data-tick]")) {
    put(time, time.dataset.tick + " " + duration(Date.now() - new Date(time.dateTime)));
  }
  for (const time of root.querySelectorAll("[data-passed]")) {
    put(time, duration(Date.now() - new Date(time.dateTime)) + " " + time.dataset.passed);
  }
  for (const time of root.querySelectorAll("[data-clock]")) {
    put(time, zone.format(new Date(time.dateTime)));
    time.title = new Date(time.dateTime).toLocaleString(document.body.dataset.language);
  }
  for (const button of root.querySelectorAll("[data-use]")) button.hidden = false;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- Changing what differs ----

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

// Makes `old` like `fresh`, keeping elements that stay, with their focus, and what is being written in them.
function become(old, fresh, newKeys) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE || old.isEqualNode(fresh)) return;
  const keepsKey = old.name === "action_id" && !newKeys;
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name === "open" || (name === "value" && keepsKey)) continue;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.nodeName === "TEXTAREA") return;
  const named = new Map([...old.childNodes].filter((child) => child.id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const found = wanted.id ? named.get(wanted.id) : place && same(place, wanted) ? place : null;
    if (!found) {
      old.insertBefore(wanted, place);
      continue;
    }
    become(found, wanted, newKeys);
    if (found === place) place = place.nextSibling;
    else old.insertBefore(found, place);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

function show(html, newKeys) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const main = fresh.querySelector("main");
  if (!main || main.dataset.page !== page().dataset.page) return false;
  tick(fresh);
  const atEnd = beyondEnd() < 120;
  become(page(), main, newKeys);
  const count = fresh.getElementById("waiting-count");
  if (count) become(document.getElementById("waiting-count"), count, newKeys);
  titled();
  if (atEnd) toEnd();
  return true;
}

// How far the end of the talk is below the window. On a phone other things follow it.
function beyondEnd() {
  const talk = document.querySelector(".talk");
  return talk ? talk.getBoundingClientRect().bottom - innerHeight : Infinity;
}

function toEnd() {
  if (document.querySelector(".talk")) scrollBy(0, beyondEnd());
}

const plainTitle = document.title;

function titled() {
  const waiting = Number(document.getElementById("waiting-count")?.dataset.count ?? 0);
  document.title = waiting ? "(" + waiting + ") " + plainTitle : plainTitle;
}

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (response.redirected) location.reload(); // the session is over
      if (!response.ok) throw new Error("status " + response.status);
      show(await response.text(), false);
      lagging.hidden = true;
    } while (again);
  } catch {
    lagging.hidden = false;
  } finally {
    busy = false;
  }
}

// ---- News ----

// A hidden tab holds no connection: browsers allow few to one address, and an operator opens many tabs.
function listen() {
  clearInterval(poll);
  source?.close();
  source = null;
  const events = page()?.dataset.events;
  if (!events) return;
  if (document.visibilityState === "hidden") {
    poll = setInterval(refresh, POLL * 2);
    return;
  }
  source = new EventSource(events);
  source.addEventListener("changed", refresh);
  source.addEventListener("typing", (event) => {
    const writing = document.getElementById("writing");
    if (writing) writing.hidden = event.data !== "on";
  });
  source.addEventListener("open", () => clearInterval(poll));
  source.addEventListener("error", () => {
    clearInterval(poll);
    poll = setInterval(refresh, POLL);
    lagging.hidden = false;
    if (source?.readyState === EventSource.CLOSED) setTimeout(listen, RECONNECT + Math.random() * RECONNECT);
  });
}

document.addEventListener("visibilitychange", listen);

// ---- Doing ----

const text = () => document.getElementById("text");
const draftKey = "firstline.draft." + location.pathname;

function keepDraft() {
  try {
    if (text().value) sessionStorage.setItem(draftKey, text().value);
    else sessionStorage.removeItem(draftKey);
  } catch {
    // Without storage a draft lives as long as the page.
  }
}

function restoreDraft() {
  try {
    if (text() && !text().value) text().value = sessionStorage.getItem(draftKey) ?? "";
  } catch {
    // As above.
  }
}

function complain(words) {
  const problem = document.getElementById("problem");
  problem.textContent = words;
  problem.hidden = !words;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-act]")) return;
  event.preventDefault();
  if (form.dataset.busy) return;
  form.dataset.busy = "yes";
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    // Not `form.action`: a button of that name stands in its place.
    const response = await fetch(form.getAttribute("action"), { method: "POST", body, cache: "no-store" });
    const html = await response.text();
    if (response.ok && new URL(response.url).pathname === "/desk/login") {
      location.reload();
      return;
    }
    if (response.ok && form.id === "write") {
      text().value = "";
      keepDraft();
    }
    complain("");
    if (!show(html, true)) {
      if (response.ok) location.assign(response.url);
      else complain(document.body.dataset.problemStore);
      return;
    }
    if (response.ok && form.id === "write") {
      toEnd();
      text().focus();
    }
  } catch {
    complain(document.body.dataset.problemStore);
  } finally {
    delete form.dataset.busy;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.target.id !== "text") return;
  event.preventDefault();
  const reply = document.querySelector('#write button[value="reply"]');
  if (!reply.disabled) document.getElementById("write").requestSubmit(reply);
});

document.addEventListener("input", (event) => {
  if (event.target.id !== "text") return;
  keepDraft();
  tellTyping();
});

// The visitor sees that somebody who has their conversation is writing. A sign lasts for six seconds.
let toldTyping = 0;

function tellTyping() {
  if (page().dataset.owner !== "mine" || !text().value.trim() || Date.now() - toldTyping < 3000) return;
  toldTyping = Date.now();
  const body = new URLSearchParams({ csrf: document.querySelector("#write [name=csrf]").value });
  fetch(location.pathname + "/typing", { method: "POST", body, cache: "no-store" }).catch(() => {});
}

document.addEventListener("click", (event) => {
  const use = event.target.closest("[data-use]");
  if (use) {
    text().value = document.getElementById(use.dataset.use).textContent;
    keepDraft();
    text().focus();
  }
  const menu = document.querySelector(".me[open]");
  if (menu && !menu.contains(event.target)) menu.removeAttribute("open");
});

// ---- Begin ----

// A link from a messenger brings no strict cookie along: the log-in page may be shown to somebody who is logged in.
async function alreadyIn() {
  const response = await fetch("/desk", { redirect: "manual", cache: "no-store" });
  if (response.ok) location.replace(page().dataset.next);
}

tick();
setInterval(tick, 1000);
titled();
if (page().dataset.page === "login") alreadyIn();
if (page().dataset.page === "conversation") {
  restoreDraft();
  // Whoever comes new to a conversation begins with what the bot passed on; whoever has it, with the newest words.
  if (location.hash === "#write" || (!location.hash && page().dataset.owner === "mine")) toEnd();
}
listen();
