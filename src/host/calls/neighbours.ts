import {DoorSearch, type DoorsFound, type NeighbourDoor} from '../../control/doors.ts'
import type {Admission, Admit, Call, Held} from '../../sidecar/admission.ts'
import {callerLine} from '../../sidecar/guest.ts'
import {Pool} from '../../wire/pool.ts'
import {whyUnknown} from './unknown.ts'

export interface NeighboursOptions {
  /** The environment that we were started in. */
  readonly shell: Readonly<Record<string, string | undefined>>
  /** The mark of the own run, which is not asked. */
  readonly run: string
  /** Ids of the own apps, for whoever asks for an unknown one. */
  readonly known: () => readonly string[]
}

/** An app of another run, for as long as its door is open. */
interface Neighbour {
  readonly door: NeighbourDoor
  readonly pool: Pool
}

/**
 * The apps of the user's other runs. A door that was found is used until it closes, which its run tells us, or refuses:
 * then the runs are asked again. There is nothing to keep in step: no file, no daemon, no time after which things are stale.
 */
export class Neighbours {
  readonly #options: NeighboursOptions
  readonly #search: DoorSearch
  readonly #found = new Map<string, Neighbour>()
  /** Those under way: calls to one id ask once. */
  readonly #asking = new Map<string, Promise<DoorsFound>>()
  /** The address that refused last, by id. */
  readonly #refused = new Map<string, string>()
  #isClosed = false

  constructor(options: NeighboursOptions) {
    this.#options = options
    this.#search = new DoorSearch(options.shell, options.run)
  }

  /** Lets a call to an app that is none of ours through to the door of the oldest run that has it. */
  readonly admit: Admit = call => {
    const known = this.#found.get(call.callee)
    if (known !== undefined && !call.refused) return this.#admitted(call, known)
    if (known !== undefined) {
      this.#refused.set(call.callee, addressOf(known.door))
      this.#drop(call.callee, known)
    }
    return this.#held(call)
  }

  /** Lets go of all doors. */
  close(): void {
    this.#isClosed = true
    for (const [id, neighbour] of this.#found) this.#drop(id, neighbour)
  }

  #held(call: Call): Held {
    return {admitted: this.#look(call), cancel: () => undefined}
  }

  async #look(call: Call): Promise<Admission> {
    const {callee, refused} = call
    const {door, others} = await this.#ask(callee)
    if (door === undefined) {
      const why = whyUnknown(callee, this.#options.known(), others)
      return {ok: false, status: 500, error: `couldn't find service: ${callee} (${why})`}
    }
    if (refused && this.#refused.get(callee) === addressOf(door)) {
      const where = `127.0.0.1:${door.told.port.toString()}`
      const why = `dial tcp ${where}: connect: connection refused (the door of "${callee}", which belongs to another run)`
      return {ok: false, status: 500, error: `rpc error: code = Unavailable desc = connection error: ${why}`}
    }
    const known = this.#found.get(callee)
    return known === undefined ? this.#denied(callee) : this.#admitted(call, known)
  }

  async #ask(id: string): Promise<DoorsFound> {
    const asking = this.#asking.get(id) ?? this.#search.find(id).then(found => this.#keep(id, found))
    this.#asking.set(id, asking)
    try {
      return await asking
    } finally {
      this.#asking.delete(id)
    }
  }

  #keep(id: string, found: DoorsFound): DoorsFound {
    const {door} = found
    if (door === undefined) return found
    if (this.#isClosed) door.release()
    else {
      const neighbour = {door, pool: new Pool(door.told)}
      this.#found.set(id, neighbour)
      void door.closed.then(() => this.#drop(id, neighbour))
    }
    return found
  }

  #drop(id: string, neighbour: Neighbour): void {
    if (this.#found.get(id) === neighbour) this.#found.delete(id)
    neighbour.pool.retire()
    neighbour.door.release()
  }

  #admitted({caller, callee}: Call, {door, pool}: Neighbour): Admission {
    const {shell} = this.#options
    return {
      ok: true,
      pool,
      isLocal: false,
      token: shell['DAPR_API_TOKEN'] ?? '',
      pathPrefix: `/v1.0/invoke/${encodeURIComponent(callee)}/method`,
      callerLine: callerLine(door.told.key, caller, shell['NAMESPACE'] || 'default'),
      leave: () => undefined
    }
  }

  /** Its run ended between the answer and now. */
  #denied(id: string): Admission {
    return {ok: false, status: 500, error: `couldn't find service: ${id} (its run has just ended)`}
  }
}

const addressOf = ({told: {run, port}}: NeighbourDoor): string => `${run}:${port.toString()}`
