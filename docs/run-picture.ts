/** Pictures of the page of real runs. */
import {execFileSync, spawn} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import type {Browser, Locator, Page} from 'playwright-core'

const PILLION = join(import.meta.dirname, '../bin/pillion.js')

/** A run whose apps are ready. */
export interface PicturedRun {
  /** The address of its page, with the token. */
  readonly url: string
  /** Runs a command in the folder of the template, and returns its stdout. */
  readonly pillion: (...args: readonly string[]) => string
  readonly portOf: (id: string) => number
}

/**
 * Starts a run of files in a folder of that name, and ends it after `work`. `before` prepares the folder.
 * Files are by path; one of them is `dapr.yaml`.
 */
export async function withRun(
  name: string,
  files: Readonly<Record<string, string>>,
  work: (run: PicturedRun) => Promise<void>,
  before: (folder: string) => void = () => undefined
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'pillion-docs-'))
  const env = {PATH: process.env['PATH'], HOME: home, PILLION_RUNTIME_DIR: join(home, 'run'), PILLION_NAMES: '0'}
  const cwd = join(home, name)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(cwd, path)), {recursive: true})
    writeFileSync(join(cwd, path), text)
  }
  before(cwd)
  const pillion = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [PILLION, ...args], {
      cwd,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore']
    })
  const run = spawn(process.execPath, [PILLION, 'run', '-f', '.'], {cwd, env, stdio: ['ignore', 'pipe', 'ignore']})
  const exited = new Promise(resolve => run.once('exit', resolve))
  try {
    await new Promise<void>((resolve, reject) => {
      void exited.then(() => reject(new Error('the run has ended')))
      run.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('Writing log files') && resolve())
    })
    pillion('wait', '--for', 'ready')
    const apps = JSON.parse(pillion('ps', '-o', 'json')) as readonly {id: string; appPort: number}[]
    const [url = ''] = /http:\S+/.exec(pillion('dashboard', '--no-open')) ?? []
    await work({url, pillion, portOf: id => apps.find(app => app.id === id)?.appPort ?? 0})
  } finally {
    run.kill()
    await exited
    rmSync(home, {recursive: true})
  }
}

export interface Drawn {
  /** The files without `-light.png` and `-dark.png`. */
  readonly file: string
  readonly size: {readonly width: number; readonly height: number}
  readonly url: string
  /** The part of the page to show: `#/calls/1`. */
  readonly hash?: string
  /** Waits until the page shows all; throws an error if it contradicts itself. Returns the part to draw. */
  readonly settled: (page: Page) => Promise<Page | Locator>
}

/** Draws a page in the light and in the dark. */
export async function draw(browser: Browser, {file, size, url, hash, settled}: Drawn): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    const page = await browser.newPage({viewport: size, colorScheme: theme})
    await page.goto(url)
    if (hash !== undefined) await page.goto(`${page.url().replace(/#.*/, '')}${hash}`)
    const part = await settled(page)
    await part.screenshot({path: `${file}-${theme}.png`})
    await page.close()
  }
}
