// What a page does when it cannot reach its server: it says so, takes no input, and comes back by itself. Bokeh's own
// way of reconnecting is not used (docs/decisions/019-a-lost-connection-loads-the-page-anew.md). The page is loaded anew as soon as the
// server answers: its address holds what was looked at, the tab's storage what was typed (workbench/components/browser/unsaved.js).
(function () {
  const ASK_MS = 1000, MOST_WAIT_MS = 30000  // between two questions whether the server is back
  const BEAT_MS = 10000, ANSWER_MS = 15000  // a network that swallows everything closes nothing: the server is asked
  const SETTLED_MS = 10000
  const BLOCKED = ["pointerdown", "mousedown", "click", "dblclick", "keydown", "beforeinput", "input", "change", "paste", "drop"]
  const MOVES = ["Tab", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "F5"]
  const BACK = "workbench:lost-seconds", RELOADS = "workbench:reloads"
  const unsaved = (window.workbenchUnsaved = window.workbenchUnsaved || new Set())
  const store = window.sessionStorage
  const _ = (text) => window.workbenchTexts[text] ?? text
  let isLost = false, isLeaving = false, isClosed = false, hasAsked = false, lostAt = 0

  const said = document.createElement("div")
  said.id = "connection"
  said.setAttribute("role", "alert")
  document.addEventListener("DOMContentLoaded", () => {
    document.body.append(said)
    const seconds = store.getItem(BACK)
    store.removeItem(BACK)
    if (seconds) { backAgain(seconds) }
  }, {once: true})

  const say = (text) => { said.textContent = text }
  const backAgain = (seconds) => {
    said.setAttribute("role", "status")
    const hasDrafts = Object.keys(store).some((key) => key.startsWith(`draft:${location.pathname}:`))
    const back = _("Connected again after {seconds} s.").replace("{seconds}", seconds)
    say(hasDrafts ? `${back} ${_("What you had typed is still here.")}` : back)
    const seen = () => { if (!isLost) { say("") } }
    for (const kind of ["pointerdown", "keydown"]) { window.addEventListener(kind, seen, {once: true}) }
  }

  const Socket = window.WebSocket
  window.WebSocket = class extends Socket {
    constructor(...given) {
      super(...given)
      this.addEventListener("open", () => setTimeout(() => { if (!isLost) { store.removeItem(RELOADS) } }, SETTLED_MS))
      this.addEventListener("close", () => { isClosed = true; lose() })
    }
  }

  const lose = () => {
    if (isLost || isLeaving) { return }
    isLost = true
    lostAt = Date.now()
    document.documentElement.dataset.connection = "lost"
    said.setAttribute("role", "alert")
    say(_("The connection to the server is lost. Saving is off, and nothing can be typed until it is back; what you typed is kept. Reconnecting by itself …"))
    askAgain()
  }
  // A server that answers but does not let the page in is not asked without end.
  const askAgain = () => setTimeout(ask, Math.min(ASK_MS * 2 ** Number(store.getItem(RELOADS) || 0), MOST_WAIT_MS))
  const answers = () => fetch("static/js/bokeh.min.js", {
    method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS),
  }).then((answer) => answer.ok || answer.status === 401, () => false)  // 401: it is there, and wants a login
  const ask = async () => {
    if (!await answers()) { askAgain(); return }
    const seconds = Math.round((Date.now() - lostAt) / 1000)
    if (!isClosed && seconds < MOST_WAIT_MS / 1000) {  // the network was slow, the socket holds
      isLost = false
      delete document.documentElement.dataset.connection
      backAgain(seconds)
      return
    }
    isLeaving = true
    store.setItem(BACK, String(seconds))
    store.setItem(RELOADS, String(Number(store.getItem(RELOADS) || 0) + 1))
    location.reload()
  }
  setInterval(async () => { if (!isLost && !document.hidden && !await answers()) { lose() } }, BEAT_MS)

  for (const kind of BLOCKED) {
    window.addEventListener(kind, (event) => {
      if (!isLost || (kind === "keydown" && (MOVES.includes(event.key) || event.ctrlKey || event.metaKey))) { return }
      event.preventDefault()
      event.stopImmediatePropagation()
    }, {capture: true, passive: false})
  }

  window.addEventListener("beforeunload", (event) => {
    hasAsked = false
    if (isLeaving || isLost || !unsaved.size) { return }
    // A browser asks only about a page that somebody has touched; a draft that nobody was asked about is kept.
    hasAsked = navigator.userActivation ? navigator.userActivation.hasBeenActive : true
    event.preventDefault()
  })
  window.addEventListener("pagehide", () => {
    isLeaving = true
    if (hasAsked) { for (const key of unsaved) { store.removeItem(key) } }
  })
  window.addEventListener("pageshow", (event) => { if (event.persisted) { location.reload() } })
})()
