// The public page: threads as text nodes, a form to write as a customer, news by server-sent events.
const $ = (id) => document.getElementById(id);
const shownPost = /^\/posts\/([0-9]{1,19})$/.exec(location.pathname)?.[1] ?? null;
const state = { view: "public", answering: null, timeline: null, known: new Set(), fresh: new Set(), hasLoaded: false };
const threadsOnPage = new Map();

function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

// Each visitor of this browser stays who they were.
const remembered = (() => { try { return localStorage.getItem("handle"); } catch { return null; } })();
$("handle").value = remembered || `visitor_${100 + Math.floor(Math.random() * 900)}`;
const myHandle = () => $("handle").value.trim().replace(/^@/, "");
const isHandle = (text) => /^[A-Za-z0-9_]{1,30}$/.test(text);
const visibility = () => document.querySelector("input[name=visibility]:checked").value;

function age(at) {
  const seconds = Math.max(0, (Date.now() - at) / 1000);
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h`;
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

function faceOf(author) {
  let sum = 0;
  for (const letter of String(author.handle)) sum = (sum * 31 + letter.codePointAt(0)) % 8191;
  const face = make("span", `face face-${sum % 8}`, String(author.name || author.handle).slice(0, 1));
  face.setAttribute("aria-hidden", "true");
  return face;
}

function textOf(text) {
  const node = make("p", "text");
  node.dir = "auto";
  for (const part of String(text).split(/(@[A-Za-z0-9_]{1,30})/)) {
    node.append(part.startsWith("@") ? make("span", "name", part) : part);
  }
  return node;
}

function postNode(post) {
  const isBrand = post.author.kind === "account";
  const at = Date.parse(post.created_at);
  const time = make("time", "", Number.isNaN(at) ? "" : age(at));
  if (!Number.isNaN(at)) {
    time.dateTime = post.created_at;
    time.title = new Date(at).toLocaleString();
  }
  const line = make("div", "line", make("b", "", post.author.name || post.author.handle));
  if (post.author.name !== post.author.handle) line.append(make("span", "", `@${post.author.handle}`));
  if (isBrand) line.append(make("span", "mark", "brand"));
  if (post.to) line.append(make("span", "", `to @${post.to.handle}`));
  if (post.visibility === "public") {
    const link = make("a", "", time);
    link.href = `/posts/${encodeURIComponent(post.id)}`;
    line.append(link);
  } else {
    line.append(time);
  }
  const body = make("div", "", line, textOf(post.text));
  for (const one of post.media ?? []) body.append(mediumNode(one));
  body.append(make("div", "deeds", answerButton(post)));
  const node = make("article", `post${isBrand ? " brand" : ""}`, faceOf(post.author), body);
  node.id = `post-${post.id}`;
  if (post.id === shownPost) node.classList.add("pointed");
  if (state.fresh.has(post.id)) node.classList.add("new");
  return node;
}

// Only what was brought here is shown: the page calls no stranger.
function mediumNode(one) {
  const isHere = one.url.startsWith(`${location.origin}/media/`);
  if (!isHere || one.kind !== "image") return make("p", "media", `${one.kind}: ${one.alt_text || one.url}`);
  const image = make("img", "media");
  image.src = one.url;
  image.alt = one.alt_text ?? "";
  image.loading = "lazy";
  return image;
}

function answerButton(post) {
  const button = make("button", "quiet", "Answer");
  button.type = "button";
  button.setAttribute("aria-label", `Answer @${post.author.handle}`);
  button.addEventListener("click", () => answer(post));
  return button;
}

function threadNode(thread, isPrivate) {
  const shape = thread.posts.map((post) => post.id).join(" ");
  const known = threadsOnPage.get(thread.root);
  if (known && known.dataset.shape === shape) return known;
  const node = make("section", `thread${isPrivate ? " private" : ""}`);
  node.dataset.shape = shape;
  node.setAttribute("aria-label", `Thread of @${thread.posts[0].author.handle}`);
  // What is there already stays, so that focus and selection do too.
  for (const post of thread.posts) node.append(known?.querySelector(`#post-${CSS.escape(post.id)}`) ?? postNode(post));
  threadsOnPage.set(thread.root, node);
  return node;
}

function emptyNode() {
  if (state.view === "private") {
    return make("div", "empty", make("b", "", `@${myHandle()} has no direct messages yet.`), "Choose “Direct message” and write to a brand: its answer appears here.");
  }
  if (shownPost) return make("div", "empty", make("b", "", "This post is not here."), "It is private, or was never made.");
  const advice = state.timeline.accounts.length ? "Write as a customer: the brand's answer appears below your words." : "No brand has an account yet.";
  return make("div", "empty", make("b", "", "Nobody has said anything yet."), advice);
}

function render() {
  if (!state.timeline) return;
  const isPrivate = state.view === "private";
  const threads = isPrivate ? state.timeline.direct_messages : state.timeline.threads;
  const nodes = threads.length ? threads.map((thread) => threadNode(thread, isPrivate)) : [emptyNode()];
  const posts = $("posts");
  const focused = document.activeElement;
  nodes.forEach((node, index) => { if (posts.children[index] !== node) posts.insertBefore(node, posts.children[index] ?? null); });
  while (posts.children.length > nodes.length) posts.lastChild.remove();
  if (focused && focused !== document.activeElement && posts.contains(focused)) focused.focus({ preventScroll: true });
  if (!state.hasLoaded && shownPost) $(`post-${shownPost}`)?.scrollIntoView({ block: "center" });
  state.hasLoaded = true;
}

// Fresh is what the last look brought, not what another view merely has not drawn yet.
function notice() {
  const all = [...state.timeline.threads, ...state.timeline.direct_messages].flatMap((thread) => thread.posts);
  state.fresh = new Set(state.known.size ? all.map((post) => post.id).filter((id) => !state.known.has(id)) : []);
  for (const post of all) state.known.add(post.id);
}

function renderForm() {
  const select = $("account");
  const handles = state.timeline.accounts.map((account) => account.handle);
  if (select.dataset.shape !== handles.join(" ")) {
    const chosen = select.value;
    select.replaceChildren(...state.timeline.accounts.map((account) => {
      const option = make("option", "", account.name === account.handle ? `@${account.handle}` : `${account.name} (@${account.handle})`);
      option.value = account.handle;
      return option;
    }));
    if (handles.includes(chosen)) select.value = chosen;
    select.dataset.shape = handles.join(" ");
  }
  $("people").replaceChildren(...state.timeline.people.map((person) => {
    const option = make("option", "");
    option.value = person.handle;
    return option;
  }));
}

function renderMode() {
  const isAnswer = state.answering !== null;
  $("answering").hidden = !isAnswer;
  $("account-field").hidden = isAnswer;
  for (const radio of document.querySelectorAll("input[name=visibility]")) radio.disabled = isAnswer;
  $("send").textContent = isAnswer ? "Answer" : visibility() === "private" ? "Send" : "Post";
  $("private-whose").textContent = isHandle(myHandle()) ? `of @${myHandle()}` : "";
  if (!isAnswer) return;
  $("answering-whom").textContent = `@${state.answering.author.handle}`;
  $("answering-text").textContent = state.answering.text.slice(0, 140);
}

function answer(post) {
  state.answering = post;
  document.querySelector(`input[name=visibility][value=${post.visibility === "private" ? "private" : "public"}]`).checked = true;
  renderMode();
  $("text").focus();
}

function show(view) {
  state.view = view;
  $("view-public").setAttribute("aria-pressed", String(view === "public"));
  $("view-private").setAttribute("aria-pressed", String(view === "private"));
  if (!state.answering) document.querySelector(`input[name=visibility][value=${view}]`).checked = true;
  renderMode();
  $("one-thread").hidden = !(shownPost && view === "public");
  render();
}

function draft() {
  const text = $("text").value;
  const isPrivate = visibility() === "private";
  const body = { handle: myHandle(), text, visibility: isPrivate ? "private" : "public" };
  if (state.answering) return { ...body, reply_to: state.answering.id };
  const account = $("account").value;
  if (!account) return body;
  if (isPrivate) return { ...body, to: account };
  const isNamed = text.toLowerCase().includes(`@${account.toLowerCase()}`);
  return { ...body, text: isNamed ? text : `@${account} ${text}` };
}

async function send(event) {
  event.preventDefault();
  if (!$("composer").reportValidity() || $("send").disabled) return;
  $("send").disabled = true;
  const body = draft();
  try {
    const answer = await fetch("/public/posts", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    if (!answer.ok) return say((await answer.json()).detail, true);
    say(body.visibility === "private" ? "Sent." : "Posted.");
    $("text").value = "";
    state.answering = null;
    if (shownPost && !body.reply_to) location.assign("/");
    show(body.visibility);
    await load();
  } catch {
    say("The network did not answer. Your words are still here.", true);
  } finally {
    $("send").disabled = false;
  }
}

function say(words, isBad = false) {
  $("said").textContent = words;
  $("said").classList.toggle("bad", isBad);
}

let loading = null;
let isStale = false;
async function load() {
  if (loading) { isStale = true; return loading; }
  loading = (async () => {
    do {
      isStale = false;
      const query = new URLSearchParams();
      if (isHandle(myHandle())) query.set("as", myHandle());
      if (shownPost) query.set("post", shownPost);
      const answer = await fetch(`/public/timeline?${query}`);
      if (!answer.ok) throw new Error(String(answer.status));
      state.timeline = await answer.json();
      notice();
      renderForm();
      render();
    } while (isStale);
  })();
  try { await loading; } finally { loading = null; }
}

function listen() {
  const source = new EventSource("/public/events");
  const tell = (word, live) => { $("live").dataset.state = live; $("live-word").textContent = word; };
  source.addEventListener("open", () => { tell("live", "live"); load().catch(() => tell("away", "away")); });
  source.addEventListener("changed", () => load().catch(() => tell("away", "away")));
  source.addEventListener("error", () => {
    tell("reconnecting", "away");
    // A server that answered wrongly ends the source for good; a lost one is asked again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  });
}

$("composer").addEventListener("submit", send);
$("composer").addEventListener("change", renderMode);
$("text").addEventListener("input", () => say(""));
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("composer").requestSubmit();
  if (event.key === "Escape" && state.answering) { state.answering = null; renderMode(); }
});
$("handle").addEventListener("change", () => {
  $("handle").value = myHandle();
  try { localStorage.setItem("handle", myHandle()); } catch { /* a private window remembers nothing */ }
  state.known.clear();
  renderMode();
  load().catch(() => {});
});
$("answering-stop").addEventListener("click", () => { state.answering = null; renderMode(); $("text").focus(); });
$("view-public").addEventListener("click", () => show("public"));
$("view-private").addEventListener("click", () => show("private"));
setInterval(() => {
  for (const time of document.querySelectorAll("time[datetime]")) time.textContent = age(Date.parse(time.dateTime));
}, 30000);
show("public");
listen();
