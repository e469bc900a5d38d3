// The widget: <script async src="https://…/widget.js"></script> puts a button on a page, which opens the chat in a frame
// of our own origin. Attributes: data-site (which of our sites), data-lang (ru or en), data-side (left or right), data-color
// (#0b6e5f), data-title, data-avatar (a letter or two) and data-greeting; without them the server's settings hold.
// window.firstline, there from the event `firstline:ready` on: open(), close(), identify(jwt), logout().
(() => {
  "use strict";
  const configured = {};
  const script = document.currentScript;
  if (!script || window.firstline) return;
  const origin = new URL(script.src).origin;
  const { site, lang, title, avatar, greeting } = script.dataset;
  const side = script.dataset.side || configured.side;
  const color = [script.dataset.color, configured.color].find((color) => /^#[0-9a-f]{6}$/i.test(color ?? ""));
  const language = (lang || navigator.language || "en").slice(0, 2) === "ru" ? "ru" : "en";
  const words = {
    ru: { open: "Открыть чат поддержки", close: "Свернуть чат поддержки", title: "Чат поддержки" },
    en: { open: "Open the support chat", close: "Close the support chat", title: "Support chat" },
  }[language];

  // Whatever the colour, the sign on it can be seen: the lighter or the darker one, by WCAG's luminance.
  function signOn(color) {
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const [red, green, blue] = [1, 3, 5].map((at) => linear(parseInt(color.slice(at, at + 2), 16) / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
  }

  const style = `
    :host { all: initial; }
    .button {
      position: fixed; bottom: 20px; ${side === "left" ? "left" : "right"}: 20px; z-index: 2147483000;
      display: grid; place-items: center; width: 60px; height: 60px; padding: 0; border: 0; border-radius: 22px;
      background: #0b6e5f; color: #fff; cursor: pointer;
      box-shadow: 0 2px 6px rgb(0 0 0 / 18%), 0 10px 30px rgb(0 0 0 / 18%); transition: transform .15s;
    }
    .button:hover { transform: translateY(-2px); }
    .button:focus-visible { outline: 3px solid #0b6e5f; outline-offset: 3px; box-shadow: 0 0 0 3px #fff; }
    .button svg { width: 28px; height: 28px; }
    .button .shut, .open .button .speak { display: none; }
    .open .button .shut { display: block; }
    .count {
      position: absolute; top: -6px; right: -6px; min-width: 24px; padding: 0 7px; border-radius: 12px;
      background: #a1262b; color: #fff; font: 700 13px/24px system-ui, sans-serif; text-align: center;
    }
    .count:empty { display: none; }
    iframe {
      position: fixed; bottom: 94px; ${side === "left" ? "left" : "right"}: 20px; z-index: 2147483000;
      width: 400px; height: min(640px, calc(100vh - 120px)); border: 0; border-radius: 20px; background: #f6f4ef;
      color-scheme: light dark; box-shadow: 0 4px 12px rgb(0 0 0 / 14%), 0 20px 60px rgb(0 0 0 / 22%); display: none;
    }
    .open iframe { display: block; }
    @media (prefers-color-scheme: dark) {
      iframe { background: #121715; outline: 1px solid rgb(255 255 255 / 14%); }
      .button { background: #56c9af; color: #05231d; }
      .button:focus-visible { outline-color: #56c9af; }
    }
    @media (max-width: 480px) {
      iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; }
      .open .button { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { .button { transition: none; } }
    ${color ? `.button.button { background: ${color}; color: ${signOn(color)}; }` : ""}
    @media print { :host { display: none; } }
  `;

  const host = document.createElement("firstline-widget");
  const root = host.attachShadow({ mode: "closed" });
  const sheet = new CSSStyleSheet(); // sites that forbid inline styles allow this
  sheet.replaceSync(style);
  root.adoptedStyleSheets = [sheet];
  const frame = document.createElement("div");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.setAttribute("aria-expanded", "false");
  button.append(
    icon("speak", "M5 5h14a2.5 2.5 0 0 1 2.5 2.5v7A2.5 2.5 0 0 1 19 17h-6.5L8 20.5V17H5a2.5 2.5 0 0 1-2.5-2.5v-7A2.5 2.5 0 0 1 5 5zM7.5 9.3h9M7.5 12.7h5.5"),
    icon("shut", "M6 9.5l6 6 6-6"),
  );
  const count = document.createElement("span");
  count.className = "count";
  button.append(count);
  frame.append(button);
  root.append(frame);
  let chat = null;
  let ready = false; // the chat listens
  let waiting = []; // what it is to hear then
  let word = null; // the site's word for who its visitor is

  function icon(name, path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", name);
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    for (const [key, value] of Object.entries({ d: path, fill: "none", stroke: "currentColor", "stroke-width": "1.9", "stroke-linecap": "round", "stroke-linejoin": "round" }))
      line.setAttribute(key, value);
    svg.append(line);
    return svg;
  }

  function makeChat() {
    const query = new URLSearchParams({ embed: "1", lang: language });
    if (site) query.set("site", site);
    if (color) query.set("color", color.slice(1));
    chat = document.createElement("iframe");
    chat.title = words.title;
    chat.sandbox = "allow-scripts allow-same-origin allow-forms allow-popups allow-popups-to-escape-sandbox";
    chat.referrerPolicy = "strict-origin";
    chat.src = origin + "/chat?" + query;
    frame.prepend(chat);
  }

  function isOpen() {
    return frame.className === "open";
  }

  function post(message) {
    if (ready) chat.contentWindow.postMessage(message, origin);
    else waiting.push(message);
  }

  function tell() {
    if (ready) post({ firstline: isOpen() ? "opened" : "closed" });
  }

  function listens() {
    ready = true;
    if (title || avatar || greeting) post({ firstline: "look", title, avatar, greeting });
    if (word) post({ firstline: "identify", jwt: word });
    waiting.splice(0).forEach(post);
    tell();
  }

  // Who the visitor is, as your server has signed it. A chat that was never opened hears of it when it is.
  function identify(jwt) {
    word = String(jwt);
    if (ready) post({ firstline: "identify", jwt: word });
  }

  // The next person at this browser sees nothing of what was said. The chat keeps its own key, so it has to be there for that.
  function logout() {
    word = null;
    if (!chat) makeChat();
    post({ firstline: "logout" });
  }

  function show(open) {
    if (open && !chat) makeChat();
    frame.className = open ? "open" : "";
    button.setAttribute("aria-expanded", String(open));
    label();
    tell();
    remember(open);
    if (!open) button.focus();
  }

  function label() {
    button.setAttribute("aria-label", isOpen() ? words.close : words.open + (count.textContent ? " (" + count.textContent + ")" : ""));
  }

  // An open chat stays open on the site's next page.
  function remember(open) {
    try {
      sessionStorage.setItem("firstline.open", open ? "1" : "");
    } catch {
      // A site without storage: the chat is closed on the next page.
    }
  }

  function wasOpen() {
    try {
      return sessionStorage.getItem("firstline.open") === "1" && !matchMedia("(max-width: 480px)").matches;
    } catch {
      return false;
    }
  }

  button.addEventListener("click", () => show(!isOpen()));
  addEventListener("message", (event) => {
    if (!chat || event.source !== chat.contentWindow || event.origin !== origin) return;
    if (event.data?.firstline === "ready") listens();
    if (event.data?.firstline === "close") show(false);
    if (event.data?.firstline === "unread" && Number.isInteger(event.data.count)) {
      count.textContent = event.data.count > 0 && !isOpen() ? String(Math.min(event.data.count, 99)) : "";
      label();
    }
  });
  label();
  window.firstline = Object.freeze({ open: () => show(true), close: () => show(false), identify, logout });
  window.firstlineWidget = window.firstline;
  const attach = () => {
    document.body.append(host);
    if (wasOpen()) show(true);
    dispatchEvent(new CustomEvent("firstline:ready"));
  };
  if (document.body) attach();
  else addEventListener("DOMContentLoaded", attach);
})();
