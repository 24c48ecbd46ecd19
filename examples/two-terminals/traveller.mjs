// Asks the clock, which runs in the other terminal, for the time in three places.
const sidecar = `http://localhost:${process.env.DAPR_HTTP_PORT}`

for (const zone of ['Europe/Stockholm', 'Asia/Tokyo', 'Atlantis']) {
  const answer = await fetch(`${sidecar}/v1.0/invoke/clock/method/time/${zone}`)
  console.log(`${zone}: ${await answer.text()}`)
}
