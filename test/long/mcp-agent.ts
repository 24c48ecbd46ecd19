import {dirname, join} from 'node:path'
import {Client} from '@modelcontextprotocol/client'
import {StdioClientTransport} from '@modelcontextprotocol/client/stdio'
import type {Program} from '../rig/program.ts'
import {openRig, type Rig} from '../rig/rig.ts'

export const ERAS = ['legacy', '2026-07-28'] as const

const SHOP = `
import {price} from './price.mjs'
const http = process.getBuiltinModule('node:http')
http.createServer((request, response) => {
  if (request.url === '/die') process.exit(3)
  if (request.url === '/large') return response.end('é😀"\\n'.repeat(20_000))
  try {
    response.end(JSON.stringify({price: price(), password: 'swordfish'}))
  } catch (error) {
    console.error(String(error))
    response.writeHead(500).end(String(error))
  }
}).listen(process.env.APP_PORT, () => console.log('listening'))
`

/** A folder with an app that fails until its file is mended. */
export async function shop(t: Parameters<typeof openRig>[0]): Promise<Rig> {
  const rig = await openRig(t)
  await rig.write({
    'shop/shop.mjs': SHOP,
    'shop/price.mjs': 'export const price = () => missing.price\n',
    'dapr.yaml': JSON.stringify({
      version: 1,
      apps: [
        {appID: 'shop', appDirPath: 'shop', autoPort: true, command: ['node', 'shop.mjs'], watch: true},
        {appID: 'front', appDirPath: '.', command: ['sleep', '600'], dependsOn: ['shop']},
        {appID: 'job', appDirPath: '.', command: ['true'], watch: true}
      ]
    })
  })
  return rig
}

export async function started(rig: Rig, flags: readonly string[] = []): Promise<Program> {
  const run = rig.pillion(['up', '--watch', ...flags])
  await run.waitForLine('Writing log files', {nth: 2})
  return run
}

interface Answer {
  readonly text: string
  /** Numbers and words of the text. */
  readonly facts: Readonly<Record<string, unknown>>
  readonly isError: boolean
  /** Of the answer as JSON. */
  readonly bytes: number
}

function factsIn(text: string): Readonly<Record<string, unknown>> {
  const fields = text.matchAll(/^\{?"(\w+)": (-?\d+|true|false|"\w*"),?\}?$/gm)
  const cursor = /call again with cursor "([^"]+)"/.exec(text)?.[1]
  const status = /^(\d+) after /.exec(text)?.[1]
  const call = /It is call (\d+)\./.exec(text)?.[1]
  return {
    ...Object.fromEntries([...fields].map(([, name = '', value = '']) => [name, JSON.parse(value) as unknown])),
    ...(cursor !== undefined && {cursor}),
    ...(status !== undefined && {status: Number(status)}),
    ...(call !== undefined && {call: Number(call)})
  }
}

interface Agent {
  readonly client: Client
  readonly call: (name: string, given?: Readonly<Record<string, unknown>>) => Promise<Answer>
}

export async function agent(
  t: Parameters<typeof openRig>[0],
  rig: Rig,
  {
    era = ERAS[1],
    args = [],
    folder = '.'
  }: {era?: (typeof ERAS)[number]; args?: readonly string[]; folder?: string} = {}
): Promise<Agent> {
  const client = new Client(
    {name: 'test', version: '1'},
    era === 'legacy' ? {} : {versionNegotiation: {mode: {pin: era}}}
  )
  const [command = '', ...words] = rig.program
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HOME: rig.home,
    PILLION_RUNTIME_DIR: rig.runtimeDir,
    PILLION_NAMES: '0'
  }
  await client.connect(
    new StdioClientTransport({
      command,
      args: [...words, 'mcp', ...args],
      env,
      cwd: join(rig.folder, folder),
      stderr: 'pipe'
    })
  )
  t.teardown(async () => client.close())
  return {
    client,
    call: async (name, given = {}) => {
      const result = await client.callTool({name, arguments: {...given}})
      const texts = result.content.map(part => (part.type === 'text' ? part.text : ''))
      return {
        text: texts.join(''),
        facts: factsIn(texts.join('')),
        isError: result.isError ?? false,
        bytes: Buffer.byteLength(JSON.stringify(result))
      }
    }
  }
}
