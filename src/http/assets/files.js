// Files of the chat: those that wait above the field until the message is sent, and those of messages. What a file is, the
// server says; its bytes are asked for with the visitor's token, so that no address of them can be passed on.

const API = "/widget/v1/attachments";
const MOST = 10; // files of one message
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const PICTURES = 40; // kept for drawing again

export function sizeOf(bytes, language) {
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const how = { style: "unit", unit: UNITS[step], maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(language, how).format(bytes / 1024 ** step);
}

// The files that will go with the next message. `begin()` returns a token, or null; `onChange` hears of every change.
export class Tray {
  constructor({ begin, most, onChange }) {
    Object.assign(this, { begin, most, onChange, files: [] });
  }

  get isEmpty() {
    return this.files.length === 0;
  }

  // Whether each is with the server.
  get isReady() {
    return this.files.every((file) => file.id);
  }

  add(chosen) {
    for (const blob of [...chosen].slice(0, MOST - this.files.length)) {
      const file = { name: blob.name || "", size: blob.size, blob, done: 0, why: "" };
      if (blob.size > this.most) file.why = "file_large";
      else this.upload(file);
      this.files.push(file);
    }
    this.onChange();
  }

  remove(file) {
    file.request?.abort();
    this.files = this.files.filter((other) => other !== file);
    this.onChange();
  }

  clear() {
    for (const file of this.files) file.request?.abort();
    this.files = [];
  }

  // Takes out what goes with the message.
  take() {
    const taken = this.files.map(({ id, kind, name, size }) => ({ id, kind, name, size }));
    this.files = [];
    return taken;
  }

  async upload(file) {
    file.why = "";
    const token = await this.begin();
    if (!this.files.includes(file)) return;
    if (!token) return this.fail(file, "file_failed");
    const request = new XMLHttpRequest(); // fetch tells nothing of how far an upload is
    file.request = request;
    request.open("POST", API);
    request.setRequestHeader("Authorization", "Bearer " + token);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    if (file.name) request.setRequestHeader("X-File-Name", encodeURIComponent(file.name));
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      file.done = event.lengthComputable ? event.loaded / event.total : 0;
      this.onChange();
    };
    request.onerror = () => this.fail(file, "file_failed");
    request.onload = () => {
      const why = { 201: "", 413: "file_large", 415: "file_type", 429: "file_many" }[request.status] ?? "file_failed";
      if (why) return this.fail(file, why);
      Object.assign(file, { id: request.response.id, kind: request.response.kind, blob: null, request: null });
      this.onChange();
    };
    request.send(file.blob);
  }

  fail(file, why) {
    Object.assign(file, { why, request: null, done: 0 });
    this.onChange();
  }
}

const pictures = new Map(); // addresses of what was fetched, by id

async function fetched(id, token) {
  const response = await fetch(API + "/" + id, { headers: { Authorization: "Bearer " + token } });
  if (!response.ok) throw new Error("status " + response.status);
  return URL.createObjectURL(await response.blob());
}

// The address at which a picture of a message can be drawn.
export async function picture(id, token) {
  if (!pictures.has(id)) {
    pictures.set(id, await fetched(id, token));
    if (pictures.size > PICTURES) {
      const [oldest, address] = pictures.entries().next().value;
      pictures.delete(oldest);
      URL.revokeObjectURL(address);
    }
  }
  return pictures.get(id);
}

// Lets the browser save a file of a message.
export async function save(file, token) {
  const address = await fetched(file.id, token);
  const link = document.createElement("a");
  link.href = address;
  link.download = file.name || file.kind;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
