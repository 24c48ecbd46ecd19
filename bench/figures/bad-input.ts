import {watchMemory} from '../../test/long/flooding.ts'
import {meanwhile, MISBEHAVIOURS, oddApp, type Misbehaviour} from '../../test/rig/bad-input.ts'
import {inRounds, type Figure, type Measure} from '../figure.ts'
import {paced} from '../paced.ts'
import {echoServer, freePorts, withRig} from '../tools.ts'

const CALLS_A_SECOND = 500

interface Suffered {
  /** The p99 of the calls of others, in ms, before somebody misbehaves, and while. */
  readonly quiet: number
  readonly disturbed: number
  /** More memory of its own than before, at most, in MB. */
  readonly more: number
}

/** Calls between two apps, in turn undisturbed and while somebody misbehaves at the sidecar of a third one. */
export const badInput: Figure = {
  name: 'bad-input',
  needs: ['go'],
  measure: async ({rounds, seconds}) => {
    const results = await inRounds(Math.min(rounds, 3), async () =>
      inRounds(MISBEHAVIOURS.length, async n => suffered(MISBEHAVIOURS[n] as Misbehaviour, seconds))
    )
    return MISBEHAVIOURS.flatMap(({name}, n): readonly Measure[] => {
      const column = (kind: keyof Suffered): readonly number[] => results.map(round => round[n]?.[kind] ?? Number.NaN)
      const p99 = {ours: column('disturbed'), peer: column('quiet'), peerName: 'undisturbed'}
      return [
        {name: `bad input: p99, ${name}`, unit: 'ms', ...p99},
        {name: `bad input: memory, ${name}`, unit: 'MB', ours: column('more'), peer: [], peerName: ''}
      ]
    })
  }
}

async function suffered({begin}: Misbehaviour, seconds: number): Promise<Suffered> {
  return withRig(async rig => {
    const [appPort = 0] = await freePorts(1)
    const good = {appID: 'good', appPort, command: [await echoServer()]}
    await rig.template([oddApp('odd'), good, oddApp('shop'), oddApp('other')])
    const program = rig.pillion(['run', '-f', '.'])
    const [{http: port}, {http: other}] = [await program.ports('shop'), await program.ports('other')]
    const calls = async (length: number): Promise<number> => {
      const url = `http://127.0.0.1:${other}/v1.0/invoke/good/method/plain`
      return (await paced(url, CALLS_A_SECOND, length)).p99 / 1000
    }
    await calls(1) // warm
    const quiet = await calls(seconds)
    const memory = watchMemory(program.pid)
    const under = await begin(port)
    const disturbed = await meanwhile(under, async () => calls(seconds))
    const sizes = memory()
    await under.end()
    program.signal('SIGTERM')
    await program.exited
    return {quiet, disturbed, more: Math.max(...sizes) - (sizes[0] ?? Number.NaN)}
  })
}
