// The chat's page. What is shown is the server's feed; what was written and is not stored yet is kept in this browser
// and sent again, under the same id, until it is. Words of people and of the bot are put in as text, never as HTML.

import { follow } from "./feed.js";
import { Tray, picture, save, sizeOf } from "./files.js";

const settings = JSON.parse(document.body.dataset.settings);
const API = "/widget/v1/";
const LOST_AFTER = 2500; // a connection that is back sooner is not worth a word
const SHOWN = 400; // messages kept on the page
const TYPING_EVERY = 3000; // a sign lasts for six seconds
const GROUP = 180000; // messages of one author closer than this are one group

const log = document.getElementById("log"); // what scrolls and is read out
const lines = document.getElementById("lines");
const composer = document.getElementById("composer");
const field = document.getElementById("field");
const send = document.getElementById("send");
const banner = document.getElementById("banner");
const who = document.getElementById("who");
const left = document.getElementById("left");
const call = document.getElementById("call");
const newer = document.getElementById("newer");
const chooser = document.getElementById("chooser");
const attach = document.getElementById("attach");
const elsewhere = document.getElementById("elsewhere");
const places = document.getElementById("places");
const trayList = document.getElementById("tray");
const MESSENGERS = { telegram: "Telegram", whatsapp: "WhatsApp", max: "MAX" };
const ICONS = {
  file: "M4 1.8h5.2L12.5 5v9.2H4zM9 2v3.3h3.3",
  remove: "M4.5 4.5l7 7M11.5 4.5l-7 7",
  source: "M3 2.5h7l3 3v8H3zM5.5 8h5M5.5 10.7h5",
};

// What is kept in the browser; where it keeps nothing, for as long as the page is open.
const kept = {
  memory: {},
  name: (key) => "firstline." + key + (settings.site_key ? "." + settings.site_key : ""),
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(this.name(key)));
    } catch {
      return this.memory[key] ?? null;
    }
  },
  set(key, value) {
    this.memory[key] = value;
    try {
      localStorage.setItem(this.name(key), JSON.stringify(value));
    } catch {
      // Private windows and frames without storage: the memory above is all there is.
    }
  },
};

let language = settings.language;
let words = settings.words[language];
let token = kept.get("token");
let position = 0;
let messages = []; // as the server told them
let pending = []; // {id, text, files, pressed, at, state: "sending" | "waiting" | "failed", why}
let status = { who: "bot" };
let typing = false;
let feed = null;
let sending = false;
let arrived = []; // told while a message of ours was on its way
let unread = 0;
let shown = !settings.embedded;
let known = kept.get("known") === true; // the site has said who this is
let jwt = null; // its word for it, as long as the page is open
let readUpTo = 0;
let toldTyping = 0;
let beginning = null; // a session that is being begun
let look = {}; // what the embedding page wants: title, avatar, greeting
let retryTimer = 0;
let retryPause = 1000;
let lostTimer = 0;

function say(text, places) {
  return text.replace(/\{(\w+)\}/g, (all, name) => places?.[name] ?? all);
}

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function icon(path, size) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 16 16", width: size, height: size, "aria-hidden": "true" }))
    svg.setAttribute(name, value);
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of Object.entries({ d: path, fill: "none", stroke: "currentColor", "stroke-width": "1.4", "stroke-linejoin": "round" }))
    line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // pages without TLS have no randomUUID
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// Text with its web addresses as links: http and https only, opened apart.
function linked(text) {
  const parts = document.createDocumentFragment();
  let from = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'«»]+/gi)) {
    const address = match[0].replace(/[).,!?;:…\]]+$/, "");
    if (!URL.canParse(address)) continue;
    const link = element("a", "", address);
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow";
    parts.append(text.slice(from, match.index), link);
    from = match.index + address.length;
  }
  parts.append(text.slice(from));
  return parts;
}

// ---- Drawing ----

function timeOf(at) {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

function dayOf(at) {
  const date = new Date(at);
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return words.today;
  if (days === 1) return words.yesterday;
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "long" }).format(date);
}

function nameOf(message) {
  if (message.author === "customer") return words.you;
  return message.author === "bot" ? words.bot : message.name || words.colleague;
}

// What a quoted article ends with, its source, stands below the bubble already.
function wordsOf(message) {
  const last = message.text.lastIndexOf("\n\n");
  const named = last > 0 && message.sources?.length === 1 && message.text.slice(last).endsWith(": " + message.sources[0].title);
  return named ? message.text.slice(0, last) : message.text;
}

function bubble(message) {
  const made = element("li", "message " + message.author);
  made.append(element("span", message.author === "customer" ? "for-readers" : "from", nameOf(message)));
  const text = element("div", "bubble");
  const said = message.author === "customer" ? message.text : wordsOf(message);
  for (const paragraph of said.split(/\n{2,}/)) {
    text.append(element("p", "", message.author === "customer" ? paragraph : linked(paragraph)));
  }
  if (said) made.append(text);
  if (message.attachments?.length) made.append(filesOf(message.attachments));
  if (message.sources?.length) {
    const list = element("ul", "sources");
    list.setAttribute("aria-label", words.sources);
    for (const source of message.sources) {
      const chip = element("li", "source", icon(ICONS.source, 13), element("span", "", source.title));
      chip.title = source.title;
      list.append(chip);
    }
    made.append(list);
  }
  return made;
}

function filesOf(files) {
  const list = element("ul", "files");
  list.setAttribute("aria-label", words.files);
  for (const file of files) list.append(element("li", "", file.shown ? pictureOf(file) : fileOf(file)));
  return list;
}

function nameOfFile(file) {
  return file.name || words["kind_" + file.kind] || words.file;
}

function pictureOf(file) {
  const drawn = element("img", "");
  drawn.alt = nameOfFile(file);
  const atEnd = isAtEnd();
  drawn.addEventListener("load", () => atEnd && (log.scrollTop = log.scrollHeight));
  const made = action("", () => save(file, token).catch(() => lost(words.file_gone)));
  made.className = "picture";
  made.title = say(words.save_file, { name: nameOfFile(file) });
  made.append(drawn);
  const show = async () => {
    try {
      drawn.src = await picture(file.id, token);
    } catch {
      made.replaceWith(fileOf({ ...file, here: false }));
    }
  };
  show();
  return made;
}

// A file that is not drawn, or not here any more.
function fileOf(file) {
  const about = [file.size ? sizeOf(file.size, language) : "", file.here === false ? words.file_gone : ""].filter(Boolean).join(" · ");
  const parts = [icon(ICONS.file, 18), element("span", "name", nameOfFile(file)), element("span", "about", about)];
  if (!file.here) return element("span", "file", ...parts);
  const made = action("", () => save(file, token).catch(() => lost(words.file_gone)));
  made.className = "file";
  made.setAttribute("aria-label", say(words.save_file, { name: nameOfFile(file) }));
  made.append(...parts);
  return made;
}

// Choices below the newest message: they go when something else is said.
function choicesOf(message) {
  const made = element("div", "choices");
  made.setAttribute("role", "group");
  made.setAttribute("aria-label", words.choices);
  for (const { title, payload } of message.buttons) made.append(action(title, () => write(title, [], payload)));
  return made;
}

function drawMessage(message, before, isLast) {
  const made = bubble(message);
  const close = before && before.author === message.author && before.name === message.name;
  if (close && new Date(message.at) - new Date(before.at) < GROUP) made.classList.add("same");
  const time = element("time", "", timeOf(message.at));
  time.dateTime = message.at;
  const under = element("div", "under", time);
  if (message.author === "customer") under.append(element("span", "", words.sent));
  made.append(under);
  if (isLast && message.buttons?.length) made.append(choicesOf(message));
  return made;
}

function drawPending(message) {
  const made = bubble({ author: "customer", text: message.text, attachments: message.files });
  made.classList.add(message.state);
  const under = element("div", "under", message.why || words[message.state]);
  if (message.state === "failed") {
    under.append(action(words.retry, () => again(message)), action(words.discard, () => discard(message)));
  }
  made.append(under);
  return made;
}

function action(label, run) {
  const made = element("button", "", label);
  made.type = "button";
  made.addEventListener("click", run);
  return made;
}

function drawGreeting() {
  const greeting = look.greeting || settings.greeting[language] || words.greeting;
  const text = say(greeting, { company: settings.company }) + "\n\n" + words.introduction;
  return bubble({ author: "bot", text });
}

function drawTyping() {
  const label = status.who === "human" ? words.colleague_typing : words.bot_typing;
  const dots = element("span", "typing", element("i"), element("i"), element("i"));
  dots.setAttribute("aria-hidden", "true");
  return element("li", "", dots, element("span", "for-readers", label));
}

// Draws the log anew, but keeps what is the same, so that a screen reader reads only what is new.
function draw() {
  const atEnd = isAtEnd();
  const wanted = [["greeting:" + language + (look.greeting ?? ""), drawGreeting]];
  let day = "";
  let before = null;
  for (const message of messages) {
    const messageDay = dayOf(message.at);
    if (messageDay !== day && (day || messageDay !== words.today)) {
      wanted.push(["day:" + messageDay, () => element("li", "day", messageDay)]);
      before = null;
    }
    day = messageDay;
    const previous = before;
    const isLast = message === messages.at(-1) && !pending.length;
    const files = message.attachments?.map((file) => file.here);
    const key = [message.id, language, message.text, previous?.id, files, isLast && message.buttons?.length].join("|");
    wanted.push([key, () => drawMessage(message, previous, isLast)]);
    before = message;
  }
  for (const message of pending) {
    wanted.push([[message.id, language, message.state, message.why].join("|"), () => drawPending(message)]);
  }
  if (status.who === "queued") wanted.push(["queued:" + language, () => element("li", "between", words.queued_note)]);
  if (typing && (status.who === "bot" || status.who === "human")) wanted.push(["typing:" + language + status.who, drawTyping]);
  const known = new Map([...lines.children].map((child) => [child.dataset.key, child]));
  let place = lines.firstElementChild;
  for (const [key, make] of wanted) {
    let child = known.get(key);
    known.delete(key);
    if (!child) {
      child = make();
      child.dataset.key = key;
    }
    if (child === place) place = place.nextElementSibling;
    else lines.insertBefore(child, place);
  }
  for (const child of known.values()) child.remove();
  elsewhere.hidden = !settings.elsewhere.length || !messages.some((message) => message.author === "customer");
  if (atEnd) log.scrollTop = log.scrollHeight;
  seeEnd();
}

function drawStatus() {
  who.dataset.who = status.who;
  const text = { bot: words.who_bot, queued: words.who_queued, resolved: words.who_resolved }[status.who];
  who.textContent = text ?? say(words.who_human, { name: status.operator || words.colleague });
  call.hidden = !(status.who === "bot" || status.who === "resolved");
}

function drawWords() {
  document.documentElement.lang = language;
  for (const child of document.querySelectorAll("[data-w]")) child.textContent = words[child.dataset.w];
  for (const child of document.querySelectorAll("[data-label]")) {
    child.setAttribute("aria-label", words[child.dataset.label]);
    child.title = [log, field, composer].includes(child) ? "" : words[child.dataset.label];
  }
  field.placeholder = words.placeholder;
  document.title = title();
  log.setAttribute("aria-busy", "true");
  draw();
  log.removeAttribute("aria-busy");
  drawStatus();
  measure();
}

function title() {
  const name = words.title + " · " + (look.title || settings.title);
  return unread ? "(" + unread + ") " + name : name;
}

function isAtEnd() {
  return log.scrollHeight - log.scrollTop - log.clientHeight < 80;
}

function seeEnd() {
  newer.hidden = log.scrollHeight - log.scrollTop - log.clientHeight < 160;
}

// ---- Writing ----

function measure() {
  const atEnd = isAtEnd();
  field.style.height = "auto";
  field.style.height = Math.min(field.scrollHeight, 160) + "px";
  const length = [...field.value.trim()].length;
  const over = length - settings.message_chars;
  left.classList.toggle("over", over > 0);
  if (over > 0) left.textContent = say(words.too_long, { over });
  else left.textContent = over > -200 ? say(words.characters_left, { left: -over }) : "";
  send.setAttribute("aria-disabled", String(over > 0 || (length === 0 && tray.isEmpty) || !tray.isReady));
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function write(text, files = [], pressed = undefined) {
  pending.push({ id: uuid(), text, files, pressed, at: new Date().toISOString(), state: "sending" });
  keepPending();
  draw();
  log.scrollTop = log.scrollHeight;
  flush();
}

// Other tabs keep theirs in the same place.
function keepPending() {
  const ours = new Set(pending.map((message) => message.id));
  const others = (kept.get("outbox") ?? []).filter((message) => !ours.has(message.id) && !settled.has(message.id));
  kept.set("outbox", [...others, ...pending.map(({ id, text, files, pressed, at }) => ({ id, text, files, pressed, at }))].slice(-50));
}

const settled = new Set();

function settle(message) {
  settled.add(message.id);
  pending = pending.filter((other) => other !== message);
  keepPending();
}

function again(message) {
  message.state = "sending";
  message.why = "";
  draw();
  flush();
}

function discard(message) {
  settle(message);
  draw();
  field.focus();
}

function retryIn(milliseconds) {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(flush, milliseconds);
}

// Sends what is pending, one after another: the order in which it was written is the order in which it is stored.
async function flush() {
  clearTimeout(retryTimer);
  if (sending) return;
  sending = true;
  try {
    for (;;) {
      const message = pending.find((one) => one.state !== "failed");
      if (!message || !(await post(message))) break;
    }
  } finally {
    sending = false;
    takeArrived();
    draw();
  }
}

// True when there may be more to send at once.
async function post(message) {
  if (!(await haveToken())) return later(message, words.waiting);
  const mine = token;
  let response;
  try {
    const attachment_ids = message.files?.length ? message.files.map((file) => file.id) : undefined;
    response = await request("messages", { client_msg_id: message.id, text: message.text, attachment_ids, pressed: message.pressed, language });
  } catch {
    return later(message, words.waiting);
  }
  if (mine !== token) return false; // somebody else uses the browser by now
  if (response.status === 401) {
    forget();
    return true;
  }
  if (response.status === 429) {
    const seconds = Number(response.headers.get("retry-after")) || 5;
    retryPause = seconds * 1000;
    return later(message, say(words.too_fast, { seconds }));
  }
  if (response.status >= 500) return later(message, words.waiting);
  if (!response.ok) {
    message.state = "failed";
    message.why = words.refused;
    draw();
    return true;
  }
  retryPause = 1000;
  const stored = await response.json().catch(() => ({}));
  settle(message);
  if (stored.id && !messages.some((known) => known.id === stored.id)) {
    messages.push({ id: stored.id, author: "customer", text: message.text, attachments: message.files, at: new Date().toISOString() });
  }
  draw();
  return true;
}

function later(message, why) {
  message.state = "waiting";
  message.why = why;
  draw();
  retryIn(retryPause);
  retryPause = Math.min(retryPause * 2, 20000);
  return false;
}

// ---- Talking to the server ----

function request(path, body, as = token) {
  const headers = { "Content-Type": "application/json" };
  if (as) headers.Authorization = "Bearer " + as;
  const signal = AbortSignal.timeout(20000);
  return fetch(API + path, { method: "POST", headers, body: JSON.stringify(body), signal, cache: "no-store" });
}

// The token, of one session for whoever asks at the same time; null where there is none to be had.
function haveToken() {
  if (token) return Promise.resolve(token);
  beginning ??= begin().then((begun) => (begun ? token : null)).finally(() => (beginning = null));
  return beginning;
}

// Begins a session, or comes back to one; true when there is one.
async function begin() {
  let response;
  try {
    const asked = { visitor_token: token ?? undefined, site_key: settings.site_key, user_jwt: jwt ?? undefined };
    response = await request("session", asked);
  } catch {
    lost(words.offline);
    return false;
  }
  if (response.status === 422 && jwt) {
    // For the site's developer: the visitor goes on as whoever they were.
    console.warn("firstline: " + ((await response.json().catch(() => ({}))).detail ?? "user_jwt is not accepted"));
    jwt = null;
    return begin();
  }
  if (!response.ok) {
    lost(response.status === 403 ? words.refused : words.unavailable);
    return false;
  }
  take(await response.json());
  return true;
}

// Shows a session, and follows its feed.
function take(session) {
  // What one of the site's visitors has left unsent is not for the next one to send.
  if (known && session.visitor_token !== token) clear();
  token = session.visitor_token;
  known = session.known;
  kept.set("token", token);
  kept.set("known", known);
  position = session.position;
  messages = session.messages;
  status = session.status;
  log.setAttribute("aria-busy", "true");
  drawStatus();
  draw();
  log.scrollTop = log.scrollHeight;
  log.removeAttribute("aria-busy");
  feed?.stop();
  feed = follow({ url: API + "events", token, position: () => position, onEvent: hear, onState: connection });
  tellRead();
}

// Forgets whoever used the chat until now.
function clear() {
  feed?.stop();
  feed = null;
  token = null;
  known = false;
  messages = [];
  pending = [];
  arrived = [];
  position = 0;
  showPlaces([]);
  readUpTo = 0;
  unread = 0;
  typing = false;
  status = { who: "bot" };
  field.value = "";
  tray.clear();
  drawTray();
  for (const key of ["token", "known", "outbox"]) kept.set(key, null);
  tellUnread();
  drawStatus();
  draw();
  measure();
}

// The token is let go of at the server as well, now or when it can be reached again.
async function logOut() {
  const before = token ?? kept.get("token");
  jwt = null;
  clear();
  if (!before) return;
  kept.set("ended", [...(kept.get("ended") ?? []), before].slice(-5));
  await endTokens();
}

async function endTokens() {
  for (const ended of kept.get("ended") ?? []) {
    try {
      const response = await request("logout", {}, ended);
      if (!response.ok && response.status !== 401) continue;
    } catch {
      return;
    }
    kept.set("ended", (kept.get("ended") ?? []).filter((other) => other !== ended));
  }
}

// Another tab has logged in or out: this one follows.
function follows() {
  const theirs = kept.get("token");
  if (theirs === token) return;
  if (token) clear();
  token = theirs;
  if (theirs) kept.set("token", theirs);
  known = kept.get("known") === true;
  if (token) begin();
}

// The server does not know us any more: whatever is still pending goes out under a new name.
function forget() {
  if (known) return clear();
  feed?.stop();
  feed = null;
  token = null;
  kept.set("token", null);
  messages = [];
  position = 0;
}

function connection(state) {
  if (state !== "lost") {
    clearTimeout(lostTimer);
    lostTimer = 0;
  }
  if (state === "open") {
    banner.textContent = "";
    retryPause = 1000;
    if (pending.length) flush();
  } else if (state === "lost") {
    lostTimer ||= setTimeout(() => lost(navigator.onLine === false ? words.offline : words.unavailable), LOST_AFTER);
  } else {
    forget();
    if (pending.length) flush();
  }
}

function lost(text) {
  banner.textContent = text;
}

function hear({ event, data, id }) {
  const told = JSON.parse(data);
  if (event === "message") {
    position = Number(id);
    arrived.push(told);
    if (!sending) takeArrived();
  } else if (event === "status") {
    status = told;
    drawStatus();
    draw();
  } else if (event === "typing") {
    typing = told.on;
    draw();
  }
}

// A message of ours may be told before its own request is answered: until then nothing is shown twice.
function takeArrived() {
  if (!arrived.length) return;
  for (const told of arrived) {
    const index = messages.findIndex((known) => known.id === told.id);
    if (index >= 0) {
      messages[index] = told;
      continue;
    }
    messages.push(told);
    if (told.author !== "customer") {
      typing = false;
      if (!shown || document.visibilityState === "hidden") unread += 1;
    }
  }
  arrived = [];
  messages.sort((a, b) => (a.position ?? Infinity) - (b.position ?? Infinity));
  messages = messages.slice(-SHOWN);
  tellRead();
  tellUnread();
  draw();
}

// What was in sight is read; who answers sees it.
function tellRead() {
  if (!token || !shown || document.visibilityState === "hidden" || position <= readUpTo) return;
  readUpTo = position;
  request("read", { position }).catch(() => {}); // the next message tells it again
}

// Only a person has any use for it.
function tellTyping() {
  if (!token || !field.value.trim() || !["human", "queued"].includes(status.who)) return;
  if (Date.now() - toldTyping < TYPING_EVERY) return;
  toldTyping = Date.now();
  request("typing", {}).catch(() => {});
}

function tellUnread() {
  document.title = title();
  if (settings.embedded) parent.postMessage({ firstline: "unread", count: unread }, "*");
}

function seen() {
  if (!shown || document.visibilityState === "hidden") return;
  unread = 0;
  tellRead();
  tellUnread();
}

// ---- The page ----

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if ((!text && tray.isEmpty) || !tray.isReady || [...text].length > settings.message_chars) return;
  field.value = "";
  const files = tray.take();
  drawTray();
  measure();
  write(text, files);
  field.focus();
});

// ---- Files ----

const tray = new Tray({
  begin: haveToken,
  most: settings.file_bytes,
  onChange: () => {
    drawTray();
    measure();
  },
});

function drawTray() {
  trayList.hidden = tray.isEmpty;
  trayList.replaceChildren(...tray.files.map(drawChosen));
}

function drawChosen(file) {
  const name = file.name || words.file;
  const state = words[file.why] ? say(words[file.why], { most: sizeOf(settings.file_bytes, language) }) : file.id ? sizeOf(file.size, language) : words.uploading;
  const remove = action("", () => {
    tray.remove(file);
    field.focus();
  });
  remove.setAttribute("aria-label", say(words.remove_file, { name }));
  remove.append(icon(ICONS.remove, 16));
  const made = element("li", file.why ? "chosen failed" : "chosen", icon(ICONS.file, 18), element("span", "name", name), element("span", "about", state));
  if (!file.id && !file.why) {
    const bar = element("progress", "");
    bar.value = file.done;
    bar.setAttribute("aria-label", words.uploading);
    made.append(bar);
  }
  made.append(remove);
  return made;
}

attach.addEventListener("click", () => chooser.click());
chooser.addEventListener("change", () => {
  tray.add(chooser.files);
  chooser.value = "";
  field.focus();
});
field.addEventListener("paste", (event) => {
  if (!event.clipboardData?.files.length) return;
  event.preventDefault();
  tray.add(event.clipboardData.files);
});
addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
addEventListener("drop", (event) => {
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  tray.add(event.dataTransfer.files);
});

// ---- Keys, buttons and the page around ----

field.addEventListener("input", () => {
  measure();
  tellTyping();
});

field.addEventListener("keydown", (event) => {
  const plain = !event.shiftKey && !event.isComposing && !matchMedia("(pointer: coarse)").matches;
  if (event.key === "Enter" && (plain || event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    composer.requestSubmit();
  }
});

call.addEventListener("click", () => {
  write(words.call_person_text);
  call.hidden = true;
});

// Links are good once and for a while, so they are made when somebody wants them.
elsewhere.addEventListener("click", async () => {
  if (!places.hidden) return showPlaces([]);
  try {
    const response = await request("links", { language });
    if (!response.ok) throw new Error(response.status);
    showPlaces((await response.json()).links);
    places.querySelector("a").focus();
  } catch {
    lost(words.unavailable);
  }
});

function showPlaces(links) {
  const atEnd = isAtEnd();
  places.hidden = !links.length;
  elsewhere.setAttribute("aria-expanded", String(!places.hidden));
  const made = links.map(({ channel, url }) => {
    const link = element("a", "place", MESSENGERS[channel]);
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.addEventListener("click", () => showPlaces([]));
    return link;
  });
  places.replaceChildren(element("p", "", words.places_note), ...made);
  if (atEnd) log.scrollTop = log.scrollHeight;
}

newer.addEventListener("click", () => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  log.scrollTo({ top: log.scrollHeight, behavior: calm ? "auto" : "smooth" });
});
log.addEventListener("scroll", seeEnd, { passive: true });
document.addEventListener("visibilitychange", seen);
addEventListener("resize", () => {
  log.scrollTop = log.scrollHeight;
});

document.getElementById("language").addEventListener("click", () => {
  language = language === "ru" ? "en" : "ru";
  words = settings.words[language];
  kept.set("language", language);
  drawWords();
});

if (settings.embedded) {
  // `frame-ancestors` lets only allowed sites be our parent.
  const close = () => parent.postMessage({ firstline: "close" }, "*");
  document.getElementById("close").addEventListener("click", close);
  addEventListener("keydown", (event) => event.key === "Escape" && close());
  addEventListener("message", (event) => {
    if (event.source !== parent || typeof event.data?.firstline !== "string") return;
    if (event.data.firstline === "identify" && typeof event.data.jwt === "string") {
      jwt = event.data.jwt;
      begin();
    } else if (event.data.firstline === "logout") {
      logOut();
    } else if (event.data.firstline === "look") {
      wear(event.data);
    }
    if (!["opened", "closed"].includes(event.data.firstline)) return;
    shown = event.data.firstline === "opened";
    if (!shown) return;
    seen();
    log.scrollTop = log.scrollHeight;
    field.focus();
  });
}

// How the embedding page wants us to look. Only a page that may show us in a frame can say so, so no link can put words into
// the bot's mouth.
function wear({ title: name, avatar, greeting }) {
  const short = (text, most) => (typeof text === "string" ? text.trim().slice(0, most) : "");
  look = { title: short(name, 60), avatar: [...short(avatar, 8)].slice(0, 2).join(""), greeting: short(greeting, 500) };
  if (look.title) document.getElementById("title").textContent = look.title;
  if (look.avatar) document.getElementById("face").textContent = look.avatar;
  document.title = title();
  draw();
}

addEventListener("storage", (event) => event.key === kept.name("token") && follows());

async function start() {
  const chosen = kept.get("language");
  if (chosen in settings.words) {
    language = chosen;
    words = settings.words[language];
  }
  pending = (kept.get("outbox") ?? []).map((message) => ({ ...message, state: "waiting" }));
  drawWords();
  if (!settings.embedded && matchMedia("(pointer: fine)").matches) field.focus();
  if (settings.embedded) parent.postMessage({ firstline: "ready" }, "*");
  endTokens();
  if (token) {
    for (let pause = 1000; !(await begin()); pause = Math.min(pause * 2, 15000)) {
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  if (pending.length) flush();
}

start();
