import type {Handlers, LentDoor} from '../control/messages.ts'
import {readLog, type Reading} from '../logs/record.ts'
import type {Door} from './door.ts'
import type {Member} from './member.ts'

/** What a run shows of itself to those who ask over its socket. */
export interface Asked {
  /** The mark of the run. */
  readonly run: string
  readonly startedAt: number
  /** What other runs say at its doors (`sidecar/guest.ts`). */
  readonly key: string
  /** Those with an open door. */
  readonly doors: ReadonlyMap<Member, Door>
  /** The version that answers for an id. */
  readonly main: (id: string) => Member | undefined
  /** Exchanges their processes; settles when the new ones are there. */
  readonly restart: (members: readonly Member[]) => Promise<void>
  /** Nothing is started any more. */
  readonly isEnding: () => boolean
}

/** The answers to other terminals and other runs that only look, or that concern one app. */
export function answersOf(asked: Asked): Pick<Handlers, 'restartApp' | 'logs' | 'lendDoor'> {
  const named = (id: string): readonly Member[] => [...asked.doors.keys()].filter(member => member.id === id)
  return {
    restartApp: async id => {
      const meant = named(id)
      return meant.length === 0 ? undefined : restart(id, meant, asked)
    },
    logs: (id, {tail, since, isFollowed, version}, gone) => {
      const all = named(id)
      const versions = new Set(all.map(({plan}) => plan.version))
      const wanted = version === '' && versions.size > 1 ? asked.main(id)?.plan.version : version
      const meant = wanted === '' ? all : all.filter(({plan}) => plan.version === wanted)
      return meant.length === 0 ? undefined : logsOf(meant, {tail, since, isFollowed, gone})
    },
    lendDoor: id => {
      const [member] = named(id)
      return member && lend(member, asked)
    }
  }
}

async function restart(id: string, members: readonly Member[], asked: Asked): Promise<string> {
  if (asked.isEnding()) return 'its run ends'
  if (members.every(({plan}) => plan.command.length === 0)) return 'it has no command of ours'
  if (members.some(({app}) => app.state.phase === 'idle'))
    return `"${id}" has not been started yet: it waits for what it depends on`
  await asked.restart(members)
  return ''
}

/** Apps that share an id: what is kept of one after the other; whoever follows, follows the last one. */
async function* logsOf(members: readonly Member[], reading: Reading): AsyncGenerator<string> {
  for (const member of members) {
    const isFollowed = reading.isFollowed && member === members.at(-1)
    yield* readLog(member.logs.app.record, {...reading, isFollowed})
  }
}

function lend(member: Member, {run, startedAt, key, doors}: Asked): LentDoor | undefined {
  const door = doors.get(member)
  const hosts = reachable(member.plan.door.listenAddresses)
  return door && {told: {run, startedAt, hosts, port: member.ports.httpPort, key}, closing: door.closing}
}

/** Where a door is reached from this machine; one that listens everywhere listens here too. */
function reachable(addresses: readonly string[]): readonly string[] {
  const named = addresses.filter(address => !['0.0.0.0', '::', '[::]'].includes(address))
  return named.length > 0 ? named : ['127.0.0.1', '::1']
}
