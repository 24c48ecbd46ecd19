import {setImmediate as turn} from 'node:timers/promises'
import type {Program} from '../rig/program.ts'
import type {Rig} from '../rig/rig.ts'
import {soon} from './connection.ts'
import {mutatedFiles} from './files.ts'
import type {Random} from './random.ts'
import {mutated} from './script.ts'

const STACK = /\n\s+at .+[/:][\w-]+\.(?:m?js|ts):\d+/

/** The end of a command, which must be one for people. */
async function ended(program: Program, what: string, mayBeTold = false): Promise<number> {
  const {code, signal} = await soon(program.exited, () => what)
  const text = program.stdout.text + program.stderr.text
  if (STACK.test(text)) throw new Error(`a stack of ${what}: ${text.slice(-2000)}`)
  // told to end before it had begun
  if (mayBeTold && signal === 'SIGTERM') return 0
  if (code === null || code > 2) throw new Error(`${what} ended with ${String(code ?? signal)}: ${text.slice(-2000)}`)
  return code
}

/** A template from stdin, a byte at a time: the verdict is that of the whole. */
export async function fromStdin(rig: Rig, random: Random): Promise<void> {
  const text = Buffer.from(mutatedFiles(random)['dapr.yaml'] ?? '').subarray(0, 3000)
  const verdict = async (pieces: readonly Buffer[]): Promise<number> => {
    const program = rig.pillion(['validate', '-f', '-'])
    for (const piece of pieces) {
      program.stdin.write(piece)
      await turn()
    }
    program.stdin.end()
    return ended(program, 'validate -f -')
  }
  const whole = await verdict([text])
  const single = await verdict(Array.from(text, byte => Buffer.from([byte])))
  if (whole !== single) throw new Error(`whole: ${whole}, byte by byte: ${single}`)
}

const REQUESTS = [
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}',
  '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  '{"jsonrpc":"2.0","id":2,"method":"tools/list"}',
  '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"list_apps","arguments":{}}}',
  '{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"app_logs","arguments":{"app":"echo","lines":1e9}}}',
  '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"calls","arguments":{"filter":"(((("}}}'
]
const JSON_WORDS = ['null', '[', '{"a":', '1e999', '"\\ud800"', '__proto__', '"id":{}', '\n', '\0', '['.repeat(5000)]

/** A client of `mcp` that sends what is no message, and leaves. */
export async function mcpClient(rig: Rig, random: Random): Promise<void> {
  const program = rig.pillion(['mcp'])
  const lines = Buffer.from(`${random.some(REQUESTS, 6).join('\n')}\n`)
  const bytes = mutated(random, lines, JSON_WORDS)
  program.stdin.end(Buffer.concat([random.oneIn(2) ? Buffer.from(`${REQUESTS[0] ?? ''}\n`) : Buffer.alloc(0), bytes]))
  await ended(program, 'mcp')
}

const FORMATS = ['har', 'curl'] as const

/** What the run has recorded of hostile calls, for other programs. */
export async function exportsCalls(rig: Rig, random: Random): Promise<void> {
  const format = random.pick(FORMATS)
  const program = rig.pillion(['calls', '-o', format])
  program.stdin.end()
  const code = await ended(program, `calls -o ${format}`)
  const {text} = program.stdout
  if (code !== 0) throw new Error(`calls -o ${format} ended with ${code}: ${program.stderr.text}`)
  if (format === 'har') JSON.parse(text)
}
