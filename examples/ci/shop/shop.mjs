import http from 'node:http'

const stock = `http://127.0.0.1:${process.env.DAPR_HTTP_PORT}/v1.0/invoke/stock/method`

http
  .createServer(async (request, response) => {
    const answer = await fetch(`${stock}${request.url}`)
    if (!answer.ok) return response.writeHead(502).end(await answer.text())
    const {item, left} = await answer.json()
    response.writeHead(left > 0 ? 200 : 409).end(left > 0 ? `one ${item}` : `no ${item} today`)
  })
  .listen(process.env.APP_PORT, () => console.log('shop is open'))
