import {SingleFlight} from '../../model/single-flight.ts'
import {pause} from '../../platform/delay.ts'
import type {RedisAddress} from './official-client.ts'
import {ClientConnection} from './client-connection.ts'
import {closed, itemsIn, orClosed} from './connection.ts'
import type {Argument, MessageListener, RedisConnection, RedisReply} from './connection.ts'
import {RedisError} from './engine/result.ts'
import {nodeAddress, slotsIn, redirectionIn, slotKey, slotOf, type SlotRange} from './slots.ts'

/** Interval at which other nodes are asked for the successor of a lost node, in ms. */
const LOOK_MS = 500
/** How often a command follows slots that have moved. */
const MAX_REDIRECTIONS = 5

/** A listener, and how to end it at each node at which it listens. */
interface Listening {
  readonly pattern: string
  readonly listener: MessageListener
  readonly ends: Map<RedisConnection, Promise<() => Promise<void>>>
}

async function listen(node: RedisConnection, {pattern, listener, ends}: Listening): Promise<void> {
  const begun = ends.get(node) ?? node.subscribe(pattern, listener)
  ends.set(node, begun)
  try {
    await begun
  } catch (error) {
    ends.delete(node)
    throw error
  }
}

/** A connection to a cluster of Redis: one to each master that is needed. Follows the nodes' answers about moved slots. */
export class ClusterConnection implements RedisConnection {
  readonly #address: RedisAddress
  readonly #nodes = new Map<string, Promise<ClientConnection>>()
  readonly #listening = new Set<Listening>()
  readonly #onServer = new Set<() => void>()
  #slots: readonly SlotRange[] = []
  /** Nodes that do not answer now. */
  readonly #lost = new Set<string>()
  readonly #over = new AbortController()
  readonly #refreshing = new SingleFlight<'slots', void>()

  private constructor(address: RedisAddress) {
    this.#address = address
  }

  /** Connects to `address`, or another node in `more`. Rejects if no node answers as a cluster. */
  static async open(address: RedisAddress): Promise<ClusterConnection> {
    const connection = new ClusterConnection(address)
    return orClosed(connection, connection.#refresh())
  }

  async command(args: readonly Argument[], signal?: AbortSignal): Promise<RedisReply> {
    const name = String(args[0]).toUpperCase()
    if (name === 'KEYS') return (await this.#onAll(args)).flat()
    if (name === 'CONFIG') return (await this.#onAll(args))[0] ?? null
    if (name === 'SCAN') return this.#scan(args)
    if (name === 'MGET' && args.length > 2)
      return (await Promise.all(args.slice(1).map(async key => this.command(['MGET', key])))).flatMap(itemsIn)
    return this.#onKey(slotKey(args), async node => node.command(args, signal))
  }

  /** Runs commands in one step, which in a cluster is possible for one key only. */
  async transaction(commands: readonly (readonly Argument[])[]): Promise<readonly RedisReply[]> {
    const groups = Map.groupBy(commands.keys(), at => String(slotKey(commands[at] ?? [])))
    const replies: RedisReply[] = Array.from({length: commands.length}, () => null)
    const run = async (key: string, group: readonly number[]): Promise<void> => {
      const own = group.map(at => commands[at] ?? [])
      const given = await this.#onKey(key, async node => node.transaction(own))
      for (const [n, at] of group.entries()) replies[at] = given[n] ?? null
    }
    await Promise.all([...groups].map(async ([key, group]) => run(key, group)))
    return replies
  }

  /** Each master publishes the changes of its own keys. */
  async subscribe(pattern: string, listener: MessageListener): Promise<() => Promise<void>> {
    const masters = await this.#masters()
    // a node that is opened from now on listens by itself
    const listening: Listening = {pattern, listener, ends: new Map()}
    this.#listening.add(listening)
    const end = async (): Promise<void> => {
      this.#listening.delete(listening)
      for (const begun of await Promise.allSettled(listening.ends.values()))
        if (begun.status === 'fulfilled') await begun.value()
    }
    try {
      await Promise.all(masters.map(async node => listen(node, listening)))
      return end
    } catch (error) {
      await end()
      throw error
    }
  }

  onServer(listener: () => void): void {
    this.#onServer.add(listener)
  }

  /** Opens a second connection. Includes the masters known now, as the first nodes may be gone. */
  async duplicate(): Promise<RedisConnection> {
    const more = [...(this.#address.more ?? []), ...this.#masterNames.map(nodeAddress)]
    return ClusterConnection.open({...this.#address, more})
  }

  async nodeOf(key: Argument): Promise<RedisConnection> {
    return this.#node(await this.#masterOf(slotOf(key)))
  }

  async close(): Promise<void> {
    this.#over.abort()
    const nodes = [...this.#nodes.values()]
    this.#nodes.clear()
    for (const node of await Promise.allSettled(nodes)) if (node.status === 'fulfilled') await node.value.close()
  }

  /** Scans the masters one after the other. The cursor contains the number of the master and its own cursor. */
  async #scan([, cursor, ...options]: readonly Argument[]): Promise<RedisReply> {
    const [, number, own = '0'] = /^(\d+):(\d+)$/.exec(String(cursor)) ?? []
    const at = Number(number ?? 0)
    const masters = await this.#masters()
    const [next, keys = []] = itemsIn(await masters[at]?.command(['SCAN', own, ...options]))
    if (next !== undefined && String(next) !== '0') return [`${at}:${String(next)}`, keys]
    return [at + 1 < masters.length ? `${at + 1}:0` : '0', keys]
  }

  async #onAll(args: readonly Argument[]): Promise<readonly RedisReply[]> {
    return Promise.all((await this.#masters()).map(async node => node.command(args)))
  }

  async #masters(): Promise<readonly ClientConnection[]> {
    if (this.#slots.length === 0) await this.#refresh()
    return Promise.all(this.#masterNames.map(async at => this.#node(at)))
  }

  get #masterNames(): readonly string[] {
    return [...new Set(this.#slots.map(({node}) => node))]
  }

  /** Runs commands at the master of a key, and follows its slot to other nodes. */
  async #onKey<T>(key: Argument | undefined, run: (node: ClientConnection) => Promise<T>): Promise<T> {
    const slot = key === undefined ? 0 : slotOf(key)
    for (let tries = 0; ; tries++) {
      const at = await this.#masterOf(slot)
      let opening: Promise<ClientConnection> | undefined
      try {
        const node = await this.#node(at)
        opening = this.#nodes.get(at)
        return await run(node)
      } catch (error) {
        if (tries === MAX_REDIRECTIONS) throw error
        const redirection = redirectionIn(error, at)
        if (redirection?.word === 'ASK') return this.#ask(redirection.node, run)
        if (redirection?.word === 'MOVED') await this.#move(slot, redirection.node)
        else if (error instanceof RedisError || !(await this.#isReplaced(at, opening))) throw error
      }
    }
  }

  async #move(slot: number, node: string): Promise<void> {
    await this.#refresh()
    // the node that answered CLUSTER SLOTS may not know the new owner yet
    const isKnown = this.#isMaster(node)
    this.#slots = [...this.#slots, {from: slot, to: slot, node}]
    if (!isKnown) void this.#greet()
  }

  /** Whether another node, or connection, has taken the place of a lost one. `opening`: the lost connection; undefined: it was never open. */
  async #isReplaced(at: string, opening: Promise<ClientConnection> | undefined): Promise<boolean> {
    // others may know the successor
    if (opening === undefined) await this.#refresh().catch(() => undefined)
    // commands that waited for a replaced connection were never sent; those under way have failed already
    const isAsBefore = opening === undefined ? this.#isMaster(at) : this.#nodes.get(at) === opening
    return !isAsBefore && !this.#over.signal.aborted
  }

  /** Returns the master of a slot. Reads the slots again if none has it, as while the cluster is being made. */
  async #masterOf(slot: number): Promise<string> {
    const known = (): string | undefined => this.#slots.findLast(({from, to}) => from <= slot && slot <= to)?.node
    const at = known() ?? (await this.#refresh().then(known))
    if (at === undefined) throw new RedisError(`CLUSTERDOWN no node has slot ${slot}`)
    return at
  }

  /** Asks another node for one command: it has the key of a slot that is moving. */
  async #ask<T>(at: string, run: (node: ClientConnection) => Promise<T>): Promise<T> {
    const node = await this.#node(at)
    return (await Promise.all([node.command(['ASKING']), run(node)]))[1]
  }

  async #node(at: string): Promise<ClientConnection> {
    const known = this.#nodes.get(at)
    if (known !== undefined) return known
    if (this.#over.signal.aborted) throw closed()
    const opening = this.#open(at)
    this.#nodes.set(at, opening)
    opening.catch(() => this.#nodes.get(at) === opening && this.#nodes.delete(at))
    return opening
  }

  async #open(at: string): Promise<ClientConnection> {
    const address = {...this.#address, ...nodeAddress(at)}
    const back = (): void => {
      this.#lost.delete(at)
      for (const each of this.#onServer) each()
      this.#refresh().catch(() => undefined) // the next command tries again
    }
    const lost = (): void => void this.#succeed(at)
    const node = await ClientConnection.open(address, {lost, back, silent: lost}, this.#over.signal)
    // a replica repeats the messages of its master
    const listening = async (): Promise<void> => {
      if (this.#isMaster(at)) for (const each of this.#listening) await listen(node, each)
    }
    return orClosed(node, listening())
  }

  /** Asks the other nodes for the successor of a lost one, until it is back or has no slots. The nodes need a while to agree. */
  async #succeed(at: string): Promise<void> {
    const {signal} = this.#over
    this.#lost.add(at)
    for (; this.#lost.has(at) && !signal.aborted; await pause(LOOK_MS, signal)) {
      await this.#refresh().catch(() => undefined)
      if (this.#isMaster(at)) continue
      this.#lost.delete(at)
      const node = this.#nodes.get(at)
      this.#nodes.delete(at)
      await node?.then(async left => left.close()).catch(() => undefined) // a node that could not be opened needs no close
    }
  }

  /** Asks who has which slots. */
  async #refresh(): Promise<void> {
    await this.#refreshing.do('slots', async () => this.#askSlots())
  }

  /** Connects to new masters, and leaves former ones, before a command needs them. */
  async #greet(): Promise<void> {
    for (const each of this.#onServer) each()
    const heard = async (at: string): Promise<void> => {
      const node = await this.#node(at)
      for (const each of this.#listening) await listen(node, each)
    }
    // a master that cannot be opened is asked again by the next command
    if (this.#listening.size > 0) await Promise.allSettled(this.#masterNames.map(heard))
    for (const [at, opening] of this.#nodes)
      if (!this.#isMaster(at)) await opening.then(async node => this.#ignore(node)).catch(() => undefined)
  }

  /** Ends the subscriptions at a node that is no longer a master. */
  async #ignore(node: ClientConnection): Promise<void> {
    for (const {ends} of this.#listening) {
      const begun = ends.get(node)
      ends.delete(node)
      const end = await begun
      await end?.()
    }
  }

  #isMaster(at: string): boolean {
    return this.#slots.some(({node}) => node === at)
  }

  async #askSlots(): Promise<void> {
    const given = [this.#address, ...(this.#address.more ?? [])].map(({host, port}) => `${host}:${port}`)
    let failure: unknown
    let hasAnswered = false
    const answering = [...this.#nodes.keys(), ...given, ...this.#masterNames].filter(at => !this.#lost.has(at))
    for (const at of new Set([...answering, ...this.#lost]))
      try {
        const reply = await (await this.#node(at)).command(['CLUSTER', 'SLOTS'])
        const slots = slotsIn(reply, nodeAddress(at).host)
        hasAnswered = true
        if (slots.length === 0) continue // it has left the cluster, or is in none yet
        const hasOthers = slots.some(({node}) => !this.#isMaster(node))
        this.#slots = slots
        if (hasOthers) void this.#greet()
        return
      } catch (error) {
        failure = error
      }
    if (!hasAnswered) throw failure
  }
}
