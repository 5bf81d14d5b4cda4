// Draws Said: a live region whose text is changed, never replaced, so that it is announced. What answers a click is
// brought to where the eye is: into the middle of the screen where it is not on it, with the keyboard's focus.
const TRIES = 120
const BELOW = 220 // pixels: what is asked there is answered there, by a field and buttons
const KEPT_MS = 5000, LOOK_MS = 250 // as long, and as often, as it is looked whether the page has grown above it since
const ACTS = ["pointerdown", "wheel", "touchstart", "keydown"]

function focused() {
  let found = document.activeElement
  while (found && found.shadowRoot && found.shadowRoot.activeElement) { found = found.shadowRoot.activeElement }
  return found
}

export function render({model, el}) {
  const line = document.createElement("p")
  line.tabIndex = -1
  if (model.role) { line.setAttribute("role", model.role) }
  const lead = document.createElement("strong"), text = document.createElement("span")
  line.append(lead, text)
  const draw = () => {
    line.className = `said ${model.kind}`
    lead.textContent = model.lead ? `${model.lead} ` : ""
    text.textContent = model.text
    line.hidden = !model.lead && !model.text
  }
  const bring = () => {
    const box = line.getBoundingClientRect()
    if (box.top < 72 || box.bottom > window.innerHeight - BELOW) { line.scrollIntoView({block: "center", behavior: "instant"}) }
  }
  const keep = () => {
    bring()
    const looking = setInterval(bring, LOOK_MS)
    const stop = () => {
      clearInterval(looking)
      ACTS.forEach((act) => window.removeEventListener(act, stop, true))
    }
    ACTS.forEach((act) => window.addEventListener(act, stop, true))  // from then on the reader scrolls
    setTimeout(stop, KEPT_MS)
  }
  const show = (tries) => {
    if (!line.getClientRects().length) {  // not drawn yet
      if (tries) { requestAnimationFrame(() => show(tries - 1)) }
      return
    }
    keep()
    const at = focused()
    if (model.takes_focus && !(at && at.getAttribute("aria-invalid") === "true")) { line.focus({preventScroll: true}) }
  }
  draw()
  for (const name of ["text", "lead", "kind"]) { model.on(name, draw) }
  model.on("shown", () => requestAnimationFrame(() => show(TRIES)))
  return line
}
