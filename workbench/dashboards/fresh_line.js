// Draws FreshLine: a dot and a sentence whose age counts on by itself.
function age(seconds) {
  if (seconds < 1) { return "now" }
  if (seconds < 60) { return `${Math.floor(seconds)} s ago` }
  if (seconds < 3600) { return `${Math.floor(seconds / 60)} min ago` }
  if (seconds < 48 * 3600) { return `${Math.floor(seconds / 3600)} h ago` }
  return `${Math.floor(seconds / 86400)} days ago`
}

export function render({model}) {
  const line = document.createElement("p")
  line.className = "fresh-line"
  let skew = 0
  const draw = () => {
    if (!model.as_of_ms) { line.textContent = ""; return }
    const seconds = Math.max(0, (Date.now() + skew - model.as_of_ms) / 1000)
    const level = seconds > model.limit * model.factor ? "red" : seconds > model.limit ? "amber" : "fresh"
    const at = new Date(model.as_of_ms + model.ahead_ms).toISOString().slice(11, 19)
    line.className = `fresh-line state ${level}`
    line.textContent = `${model.engine} · as of ${at} ${model.zone}, ${age(seconds)}`
    line.title = model.note
  }
  const renew = () => { skew = model.sent_ms - Date.now(); draw() }
  model.on("sent_ms", renew)
  renew()
  const timer = setInterval(draw, 1000)
  model.on("remove", () => clearInterval(timer))
  return line
}
