import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import t from 'tap'
import {parse} from 'yaml'
import {freePorts} from '../rig/free-port.ts'
import {openRig, type Rig} from '../rig/rig.ts'

/** A service of Node that asks others and joins their answers. `listen`: the expression of its port. */
const NODE = (name: string, listen: string, others: readonly string[] = []): string => `
import {createServer} from 'node:http'
const others = [${others.join(', ')}]
createServer(async (request, response) => {
  const texts = await Promise.all(others.map(async each => (await fetch(each)).text()))
  response.end(['${name}', ...texts].join(' '))
}).listen(${listen}, () => console.log('${name} serves'))
`

/** A service of Python that may ask another one. `serve`: its last lines. */
const PYTHON = (name: string, serve: string, other = ''): string => `
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import urlopen

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        text = "${name}"
        if "${other}" != "":
            text += " " + urlopen("${other}").read().decode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

${serve}
    print("${name} serves", flush=True)
    server.serve_forever()
`

interface Entry {
  readonly id: string
  readonly port?: number
  readonly appPort?: number
}

const url = (port: number): string => `http://localhost:${port}/`

const entriesIn = async (rig: Rig): Promise<readonly Entry[]> =>
  (parse(await readFile(join(rig.folder, 'pillion.yaml'), 'utf8')) as {apps: readonly Entry[]}).apps

t.test('five services of a Procfile: import and up --watch carry every call, and one trace joins them', async t => {
  const rig = await openRig(t)
  const [web = 0, gateway = 0, users = 0, orders = 0, stock = 0] = await freePorts(5)
  await rig.write({
    Procfile: [
      'web: cd web && node server.mjs',
      'gateway: cd gateway && npm start',
      'users: cd users && python3 main.py',
      `orders: cd orders && python3 app.py --port ${orders}`,
      'stock: node stock.mjs'
    ].join('\n'),
    '.env': `GATEWAY_URL=${url(gateway)}\nSTOCK_PORT=${stock}\n`,
    'web/server.mjs': NODE('web', web.toString(), ['process.env.GATEWAY_URL']),
    'gateway/package.json': '{"scripts": {"start": "node index.mjs"}}',
    'gateway/index.mjs': NODE('gateway', 'process.env.PORT || 3000', [`'${url(users)}'`, `'${url(orders)}'`]),
    'users/main.py': PYTHON(
      'users',
      `if __name__ == "__main__":\n    server = HTTPServer(("127.0.0.1", ${users}), Handler)`
    ),
    'orders/app.py': PYTHON(
      'orders',
      'if __name__ == "__main__":\n    server = HTTPServer(("127.0.0.1", int(sys.argv[-1])), Handler)',
      url(stock)
    ),
    'stock.mjs': NODE('stock', 'process.env.STOCK_PORT')
  })
  t.match(await rig.run(['import']), {code: 0, stderr: ''})
  t.same(
    (await entriesIn(rig)).map(({id, port, appPort}) => [id, port, appPort]),
    [
      ['web', web, undefined],
      ['gateway', gateway, undefined],
      ['users', users, undefined],
      ['orders', orders, undefined],
      ['stock', stock, undefined]
    ]
  )
  const run = rig.pillion(['up', '--watch'])
  for (const id of ['web', 'gateway', 'users', 'orders', 'stock'])
    await run.waitForLine(`== APP - ${id} == ${id} serves`)
  t.equal(await (await fetch(url(web))).text(), 'web gateway users orders stock')
  const {stdout} = await rig.run(['trace'])
  for (const call of ['outside → web', 'web → gateway', 'gateway → users', 'gateway → orders', 'orders → stock'])
    t.match(stdout, call, 'all five are in one trace')
  await rig.write({
    'users/main.py': PYTHON(
      'people',
      `if __name__ == "__main__":\n    server = HTTPServer(("127.0.0.1", ${users}), Handler)`
    )
  })
  await run.waitForLine('users: reloaded')
  t.equal(await (await fetch(url(web))).text(), 'web gateway people orders stock')
})

t.test('import --check writes the port that it has seen, and takes a guess that held for a fact', async t => {
  const rig = await openRig(t)
  const [port = 0, first = 0, second = 0] = await freePorts(3)
  await rig.write({
    Procfile: 'api: node api.mjs\nboth: node both.mjs\nweb: node web.mjs\n',
    'settings.json': JSON.stringify({listen: [port, first, second]}),
    'api.mjs': `import settings from './settings.json' with {type: 'json'}\n${NODE('api', 'settings.listen[0]')}`,
    'both.mjs': `import settings from './settings.json' with {type: 'json'}\n${NODE('both', 'settings.listen[1]')}\ncreateServer(() => {}).listen(settings.listen[2])`,
    'web.mjs': "const name = 'PORT'\nimport {createServer} from 'node:http'\ncreateServer().listen(process.env[name])"
  })
  t.match(await rig.run(['import', '--check', '--timeout', '30s']), {code: 0})
  const text = await readFile(join(rig.folder, 'pillion.yaml'), 'utf8')
  t.match(await entriesIn(rig), [
    {id: 'api', port},
    {id: 'both', port: undefined},
    {id: 'web', port: 5200}
  ])
  const both = [first, second].toSorted((a, b) => a - b).join(', ')
  t.match(text, `# import: --check: it listens on ${both}: write the one that others call as port`)
  t.notMatch(text, /guessed:|not known from its files/)
})
