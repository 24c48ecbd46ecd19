import {rmSync, existsSync, utimesSync} from 'node:fs'
import {rename} from 'node:fs/promises'
import type {IncomingMessage, Server, ServerResponse} from 'node:http'
import type {Socket} from 'node:net'
import {join} from 'node:path'
import {serveInOrder} from '../proxy/net/http1/connection.ts'
import {http} from '../proxy/net/http1/node-http.ts'
import {messageOf} from '../model/errors.ts'
import {orElse} from '../model/or-else.ts'
import {systemClock, type Clock} from '../platform/clock.ts'
import {within} from '../platform/delay.ts'
import {usableFolder} from './folder.ts'
import {takenNames, type TakenName} from './names.ts'
import {noteSpared, writeRunFile, type RunFile, type RunIdentity} from './run-file.ts'
import {freeRunName, oneByOne, type NameRequest} from './run-name.ts'
import {namesInFolder} from '../platform/paths.ts'

/** A run that other terminals can find. */
export interface Registration {
  /** The name of the run for commands. */
  readonly name: string
  /** The host names that it asked for and other runs have. */
  readonly taken: readonly TakenName[]
  /**
   * Removes the run from the list at once. Settles when open answers are sent, or after a moment. Connections that wait for the end of the run stay open until the process exits.
   */
  withdraw(): Promise<void>
  /** Replaces the registered facts of the apps and the entrance, and the longest grace period. Settles when other runs can read them. Never fails. */
  update(
    changed: Partial<Pick<RunIdentity, 'appIds' | 'names' | 'entrance' | 'takenOver'>>,
    graceMs?: number
  ): Promise<void>
  /** Records that processes which leave the group of this app process (the value of `PILLION_LIFE`) survive, even if Pillion is killed. */
  spare(marker: string): void
}

/** The run that registers, and its name; omitted: it names itself. */
export interface Registrant extends RunFile {
  readonly name?: NameRequest
}

/** Answers a request; settles when the answer is written. An answer that lasts as long as the run is not waited for. */
export type ServeRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>

/** Takes over a connection for another protocol; `early`: its first bytes. */
export type OnUpgrade = (request: IncomingMessage, socket: Socket, early: Buffer) => void

/** Time in which open answers are sent at the end of a run, in ms. */
const TIMEOUT_MS = 500

/** The folder of the run with this marker. */
export const homeOf = (folder: string, marker: string): string => join(folder, marker.slice(0, 8))

/**
 * Registers a run: its socket listens first and is then renamed into place, so that no client finds a socket that does not
 * respond yet. `folder` has been checked before (`usableFolder`): only the user reaches the socket.
 * Rejects with a `UserError` if another run has the name that this one asks for.
 */
export async function register(
  folder: string,
  about: Registrant,
  serve: ServeRequest,
  clock: Clock = systemClock,
  onUpgrade?: OnUpgrade
): Promise<Registration> {
  const home = homeOf(folder, about.marker)
  const answers = new Set<Promise<void>>()
  const open = async (): Promise<Server> => {
    const opened = http.createServer().unref()
    serveInOrder(opened, (request, response) => {
      const answer = serve(request, response).catch((error: unknown) => fail(response, error))
      answers.add(answer)
      void answer.then(() => answers.delete(answer))
    })
    if (onUpgrade !== undefined) opened.on('upgrade', onUpgrade)
    try {
      await new Promise<void>((resolve, reject) => {
        opened.once('error', reject).listen(join(home, 'new'), resolve)
      })
      await rename(join(home, 'new'), join(home, 'socket'))
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  }
  let known: RunFile
  let taken: readonly TakenName[]
  let server: Server
  try {
    ;({known, taken} = await oneByOne(folder, async () => introduce(folder, about)))
    server = await open()
  } catch (error) {
    removeHome(home)
    throw error
  }
  let isOver = false
  let written = Promise.resolve()
  const write = (work: () => Promise<void>): void => {
    written = written.then(async () => (isOver ? undefined : work())).catch(() => undefined)
  }
  // another program has removed the folder: without it no command finds the run
  const letFolderGo = keepFolder(home, clock, () =>
    write(async () => {
      usableFolder([folder])
      await writeRunFile(home, known)
      const before = server
      server = await open()
      before.close()
    })
  )
  return {
    name: known.identity?.name ?? '',
    taken,
    update: async (changed, graceMs = known.graceMs) => {
      const before = known
      if (before.identity === undefined) return
      known = {...before, graceMs, identity: {...before.identity, ...changed}}
      if (JSON.stringify(known) !== JSON.stringify(before)) write(async () => writeRunFile(home, known))
      await written
    },
    spare: marker => noteSpared(home, marker),
    withdraw: async () => {
      isOver = true
      letFolderGo()
      server.close()
      await written
      server.close() // `server` may be a new one by now
      removeHome(home)
      await within(TIMEOUT_MS, Promise.all(answers))
    }
  }
}

/** Removes the folder of a run. Never fails, since an error would hide why the run ends. A later command removes the rest. */
const removeHome = (home: string): void => orElse(() => rmSync(home, {recursive: true, force: true}), undefined)

/** Answers a request with an error. The server goes on answering other requests. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  const problem = JSON.stringify({status: 500, detail: messageOf(error)})
  response.writeHead(500, {'content-type': 'application/problem+json'}).end(problem)
}

/** Chooses the names of a run and of its apps, and writes its file. Resolves with the written facts. */
async function introduce(
  folder: string,
  {name: asked, identity, ...about}: Registrant
): Promise<{readonly known: RunFile; readonly taken: readonly TakenName[]}> {
  const name = asked === undefined ? (identity?.name ?? '') : freeRunName(folder, asked)
  const taken = takenNames(folder, identity?.names)
  const wanted = Object.entries(identity?.names ?? {})
  const free = Object.fromEntries(wanted.filter(([each]) => taken.every(({name: other}) => other !== each)))
  const known = {...about, ...(identity && {identity: {...identity, name, ...(identity.names && {names: free})}})}
  await writeRunFile(homeOf(folder, about.marker), known)
  rmSync(join(folder, `starting-${process.pid}`), {force: true}) // written by `announceStart`
  return {known, taken}
}

/** Systems remove from /tmp what has not been touched for days: macOS after three, systemd-tmpfiles(8) after ten. */
const TOUCH_EVERY_MS = 12 * 60 * 60 * 1000
/** Interval in ms between looks at the date: timers pause while the machine sleeps, but the date goes on. */
const LOOK_EVERY_MS = 60_000

/**
 * Touches the folder of a run and its files now and then, so that no cleaner of temporary files removes them; the returned function ends that.
 * `lost` is called if the socket is not there all the same.
 */
export function keepFolder(folder: string, clock: Clock, lost: () => void): () => void {
  let callOff: () => void
  let touchedAt = clock.date()
  const wait = (): void => {
    callOff = clock.after(LOOK_EVERY_MS, () => {
      wait()
      if (!existsSync(join(folder, 'socket'))) return lost()
      if (Math.abs(clock.date() - touchedAt) < TOUCH_EVERY_MS) return
      touchedAt = clock.date()
      touch(folder)
    })
  }
  wait()
  return () => callOff()
}

function touch(folder: string): void {
  const now = new Date()
  // skips entries that have gone meanwhile
  for (const path of ['', ...namesInFolder(folder)]) orElse(() => utimesSync(join(folder, path), now, now), undefined)
}
