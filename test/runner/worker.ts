/**
 * Runs test files one after the other in this process, so that tap and the sources are loaded once. It gets their paths from its
 * parent, writes TAP with a subtest for each file, and ends with its parent.
 */
import {readFileSync} from 'node:fs'
import {registerHooks} from 'node:module'
import {resolve} from 'node:path'
import {mock} from 'node:test'
import {pathToFileURL} from 'node:url'
import root from 'tap'
import {LIMIT_MS} from '../rig/limit.ts'
import {enter} from './stand-in.ts'

const RUNNER = pathToFileURL(import.meta.dirname).href
const STAND_IN = pathToFileURL(resolve(import.meta.dirname, 'stand-in.ts')).href

registerHooks({
  resolve: (name, context, next) =>
    name === 'tap' && context.parentURL?.startsWith(RUNNER) === false
      ? {url: STAND_IN, shortCircuit: true}
      : next(name, context)
})

/** Milliseconds of CPU that this process and the children that it has waited for have used. */
function cpuMs(): number {
  const {user, system} = process.cpuUsage()
  return (user + system) / 1000 + childrenMs()
}

/** Linux alone tells it: clock ticks of 10 ms. */
function childrenMs(): number {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8').split(') ', 2)[1]?.split(' ') ?? []
    return (Number(fields[13]) + Number(fields[14])) * 10
  } catch {
    return 0
  }
}

async function run(file: string): Promise<void> {
  const before = cpuMs()
  const env = {...process.env}
  const folder = process.cwd()
  await root.test(file, {timeout: LIMIT_MS}, async test => {
    enter(test)
    await import(pathToFileURL(resolve(file)).href)
  })
  // a reader of TAP takes a result as complete when it sees what comes next; this changes nothing
  process.stdout.write('pragma -strict\n')
  mock.reset()
  mock.timers.reset()
  process.chdir(folder)
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name]
  Object.assign(process.env, env)
  process.channel?.ref() // tap lets go of it, and would end this process now
  process.send?.({file, cpuMs: cpuMs() - before, megabytes: process.memoryUsage.rss() / 1e6})
}

// killed or not, the parent has gone: nobody reads what comes
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.on('message', (file: string) => {
  if (file !== '') return void run(file)
  root.end()
  process.exit()
})
