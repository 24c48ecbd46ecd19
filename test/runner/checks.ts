import {spawn} from 'node:child_process'
import {availableParallelism} from 'node:os'

/** What a check has said. */
export interface Checked {
  readonly name: string
  readonly passed: boolean
  readonly ms: number
  readonly text: string
}

/** Runs a command to its end, and keeps what it prints. */
export async function runCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {}
): Promise<Checked> {
  const [file = '', ...args] = words
  const begun = performance.now()
  const child = spawn(file, args, {stdio: ['ignore', 'pipe', 'pipe'], env: {...process.env, ...env}})
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => void (text += more))
  const code = await new Promise<number | null>(resolve => {
    child.once('error', error => {
      text += error.message
      resolve(1)
    })
    child.once('close', resolve)
  })
  return {name: words.join(' '), passed: code === 0, ms: performance.now() - begun, text}
}

/**
 * The linter of types is a program in Go. With the tests beside it it has half of the cores: each of its threads checks what
 * others have checked, too. Collecting garbage less often costs it memory.
 */
const GO = {GOMAXPROCS: Math.ceil(availableParallelism() / 2).toString(), GOGC: '400'}

/** Lint, which tells what the compiler would, unused code, bounds, format: one after the other; gives all results. */
export async function runChecks(): Promise<readonly Checked[]> {
  const results: Checked[] = []
  for (const script of ['lint', 'bounds', 'format:check']) {
    const result = await runCommand(['npm', 'run', '--silent', script], GO)
    results.push(result)
    if (result.passed) console.log(`ok   npm run ${script} (${(result.ms / 1000).toFixed(1)} s)`)
    else console.log(`FAIL npm run ${script}\n${result.text}`)
  }
  return results
}
