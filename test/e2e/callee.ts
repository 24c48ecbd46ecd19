/** A callee that answers with what it gets, fails at `/fail…`, and exits at `/die`. */
export const CALLEE = `
const http = process.getBuiltinModule('node:http')
let count = 0
http.createServer((request, response) => {
  let body = ''
  request.on('data', piece => (body += piece)).on('end', () => {
    if (request.url === '/die') process.exit(3)
    response.writeHead(request.url.startsWith('/fail') ? 503 : 200, {'content-type': 'application/json', 'set-cookie': 'id=42'})
    const seen = request.headers['x-customer'] && {'x-customer': 'Ada' + ++count}
    response.end(JSON.stringify({got: body, password: 'swordfish', ...seen}))
  })
}).listen(process.env.APP_PORT)
`
