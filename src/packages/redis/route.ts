import type {createCluster} from '@redis/client'
import type {Argument} from './connection.ts'
import {ownOf} from '../../model/own.ts'

const KEYLESS = new Set(['ping', 'info', 'wait', 'config', 'keys', 'cluster', 'scan'])
const KEY_AT: Readonly<Record<string, number>> = {eval: 3, xgroup: 2, xinfo: 2}

/** The first key of a command that components send; undefined: any node may answer it. */
function slotKey(args: readonly Argument[]): Argument | undefined {
  const name = String(args[0]).toLowerCase()
  if (KEYLESS.has(name)) return undefined
  if (name === 'xreadgroup') return args[args.indexOf('STREAMS') + 1]
  return args[ownOf(KEY_AT, name) ?? 1]
}

/** A command as the official client reads it to find its nodes. */
export type KeyRoute = Parameters<ReturnType<typeof createCluster>['_execute']>[0]

/** Returns what the official client needs to find the nodes of a command. */
export function keyRoute(args: readonly Argument[]): KeyRoute {
  const firstKey = slotKey(args)
  const commandIdentifier = {command: String(args[0]), subcommand: args[1] === undefined ? undefined : String(args[1])}
  return {
    redisArgs: args,
    keys: firstKey === undefined ? [] : [firstKey],
    firstKey,
    commandIdentifier
  } as unknown as KeyRoute
}
