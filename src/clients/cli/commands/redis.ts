import {keysFile, loadBuiltIn, redisMode} from '#redis'
import {ApiError} from '../../../control/api-client.ts'
import type {FoundRun} from '../../../control/client.ts'
import {UserError} from '../../../model/errors.ts'
import {ownerOf} from '../../../platform/port-owners.ts'
import {stateFolder} from '../../../platform/state-folder.ts'
import {type CommandContext, type CommandHandler, UsageError} from '../command-handler.ts'
import {runsHere} from '../run-here.ts'
import {say} from '../say.ts'

const USUAL_PORT = 6379

/** `redis [PORT]`: runs the built-in Redis alone until a signal ends it; `--off` asks the run whose Redis has the port to close it. */
export const redis: CommandHandler = async call => {
  const port = portOf(call.words)
  return call.flags.isSet('off') ? letGo(port, call) : serve(port, call)
}

function portOf([word, ...more]: readonly string[]): number {
  const port = Number(word ?? USUAL_PORT)
  if (more.length > 0) throw new UsageError(`redis takes one port, not ${more.length + 1}`)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new UsageError(`invalid port "${word ?? ''}"`)
  return port
}

async function serve(port: number, {asJson}: CommandContext): Promise<number> {
  const ended = new Promise<void>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
  })
  const file = redisMode(process.env) === 'memory' ? undefined : keysFile(stateFolder(process.env), port)
  const warn = (text: string): void => say(process.stderr, 'warning', text, asJson)
  const {BuiltInRedis} = await loadBuiltIn()
  const server = await BuiltInRedis.open({port, file, warn}).catch(async (error: unknown) => {
    throw await withOwner(error, port)
  })
  const text = `Redis listens on localhost:${port}; its keys are kept ${server.where}`
  say(process.stdout, server.isForgetful ? 'warning' : 'info', text, asJson)
  await ended
  await server.close()
  return 0
}

/** Returns the error for a port in use, with the process that uses it. */
async function withOwner(error: unknown, port: number): Promise<unknown> {
  const owner = error instanceof UserError ? await ownerOf(port) : undefined
  if (owner === undefined || !(error instanceof UserError)) return error
  const explanation = `Port ${port} is held by pid ${owner.pid} (${owner.command}).`
  return new UserError(error.message, {explanation, cause: error})
}

/** Makes a run close the port. Resolves with false if the run does not have it. */
async function hasReleased({api}: FoundRun, port: number): Promise<boolean> {
  try {
    await api.ask('DELETE /redis/{number}', {at: {number: port}})
    return true
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false
    throw error
  }
}

async function letGo(port: number, {asJson}: CommandContext): Promise<number> {
  for (const run of await runsHere(asJson)) {
    if (!(await hasReleased(run, port))) continue
    const {pid} = run.listing
    const text = `The run with pid ${pid} has released port ${port} for the rest of the run`
    say(process.stdout, 'success', text, asJson)
    return 0
  }
  const owner = await ownerOf(port)
  const held = owner === undefined ? '' : `: pid ${owner.pid} does (${owner.command})`
  say(process.stdout, 'info', `No run holds port ${port}${held}`, asJson)
  return 0
}
