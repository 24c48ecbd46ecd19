import http from 'node:http'

const left = new Map([
  ['apple', 3],
  ['pear', 0]
])

http
  .createServer((request, response) => {
    const item = request.url.split('/').pop()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({item, left: left.get(item) ?? 0}))
  })
  .listen(process.env.APP_PORT, () => console.log('stock is open'))
