import {lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Environment} from '../model/environment.ts'
import {removeContainers, type Containers} from '../platform/containers.ts'
import {makeFolder} from '../platform/make-folder.ts'
import {isSameStart, startOf, currentSystem, type SystemIdentity} from '../platform/process-table.ts'
import {isTrial, TRIAL_PREFIX} from './dead-runs.ts'

const ABOUT = 'about.json'

interface About extends SystemIdentity, Containers {
  readonly pid: number
  /** Start of the process in the system's own unit (`Seen.started`). With the pid it identifies the process. */
  readonly started: number
}

/**
 * The folder of a trial of a template (`import --check`): logs, and the list of containers.
 * `remove` removes all of it; if the trial is killed, the next run removes it.
 */
export class TrialFolder {
  readonly path: string
  #containers: Containers = {engine: '', names: []}

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), TRIAL_PREFIX))
    this.note(this.#containers)
  }

  /** Records the containers before they are started. */
  note(containers: Containers): void {
    this.#containers = containers
    const about: About = {...currentSystem(), ...containers, pid: process.pid, started: startOf(process.pid)}
    writeFileSync(join(this.path, ABOUT), JSON.stringify(about))
  }

  /** Creates a folder in the trial's folder, and returns its path. */
  folder(...names: readonly string[]): string {
    const path = join(this.path, ...names)
    makeFolder(path, 0o700)
    return path
  }

  async remove(env: Environment): Promise<void> {
    await removeContainers(this.#containers, env)
    rmSync(this.path, {recursive: true, force: true})
  }
}

/** Removes folders of killed trials. Keeps folders of other users, and of another system. */
export async function sweepTrials(env: Environment): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter(isTrial)) {
    const path = join(tmpdir(), name)
    const about = aboutOf(path)
    if (about === undefined) continue
    await removeContainers(about, env)
    rmSync(path, {recursive: true, force: true})
  }
}

/** Reads the containers of a trial. Returns undefined for a foreign folder, or if the trial may still run. */
function aboutOf(path: string): Containers | undefined {
  try {
    const stat = lstatSync(path)
    if (!stat.isDirectory() || stat.uid !== process.getuid?.()) return undefined
    const {boot, pids, pid, started, ...containers} = JSON.parse(readFileSync(join(path, ABOUT), 'utf8')) as About
    const here = currentSystem()
    const isAlive = boot === here.boot && isSameStart(startOf(pid), started)
    return pids === here.pids && !isAlive ? containers : undefined
  } catch {
    return undefined // the folder is being created or removed
  }
}
