// Asks for the price of a pear fifty times a second, through its own sidecar, and tells when it has changed.
import {setTimeout as pause} from 'node:timers/promises'

const sidecar = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}`
let known = ''
let asked = 0
let failed = 0

async function ask() {
  asked++
  const answer = await fetch(`${sidecar}/pear`, {headers: {'dapr-app-id': 'prices'}})
  const text = await answer.text()
  if (!answer.ok) failed++
  else if (text !== known)
    console.log(`a pear costs ${(known = text)}; asked ${asked} times, ${failed} without an answer`)
}

for (;;) {
  ask().catch(() => failed++)
  await pause(20)
}
