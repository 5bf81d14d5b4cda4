// Takes the parts of files, one after the other, and saves each file when its last part, an empty one, has come.
const TYPES = {csv: "text/csv", parquet: "application/vnd.apache.parquet",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}

function save(name, parts) {
  const link = document.createElement("a")
  const type = TYPES[name.split(".").pop()] ?? "application/octet-stream"
  link.href = URL.createObjectURL(new Blob(parts, {type}))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}

export function render({model}) {
  const files = new Map()
  model.on("msg:custom", ([key, name, part]) => {
    if (!files.has(key)) { files.set(key, []) }
    const parts = files.get(key)
    if (part) {
      parts.push(Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0)))
      model.send_msg(key)
    } else {
      files.delete(key)
      save(name, parts)
    }
  })
  return document.createElement("span")
}
