// A worker without a port.
console.log('waits for mail')
setInterval(() => {}, 60_000)
