import type {ActorHost, TypeSettings} from './actor-host.ts'

/** An instance of an app and the types that it hosts. */
export class Hosting {
  readonly host: ActorHost
  /** The types that its process hosts; undefined: that is not known yet. */
  types: ReadonlyMap<string, TypeSettings> | undefined
  /** The signals of retirements that deactivate its actors. No turn begins during one. */
  readonly retirements = new Set<AbortSignal>()

  constructor(host: ActorHost) {
    this.host = host
  }

  get isRetiring(): boolean {
    return this.retirements.size > 0
  }

  get isOpen(): boolean {
    return this.types !== undefined && !this.isRetiring && this.host.state === 'open'
  }
}

/** FNV-1a (draft-eastlake-fnv) with a final mix, so that similar names get very different numbers. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

/** Chooses the host of an id: always the same one as long as these hosts are there (rendezvous hashing, Thaler and Ravishankar 1998). */
export function placeAmong(hosts: readonly Hosting[], type: string, id: string): Hosting | undefined {
  if (hosts.length < 2) return hosts[0]
  const weight = ({host}: Hosting): number => hashOf(`${host.instance}\0${type}\0${id}`)
  return hosts.reduce((best, each) => (weight(each) > weight(best) ? each : best))
}
