import {spawnSync} from 'node:child_process'
import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import t from 'tap'
import {parse} from 'yaml'
import type {PsRow} from '../../src/model/api.generated.ts'
import {freePort, freePorts} from '../rig/free-port.ts'
import {missing} from '../rig/missing.ts'
import {openRig, type Rig} from '../rig/rig.ts'
import {writeWorktrees} from '../rig/worktrees.ts'

/** A row of the table of servers in the manual. */
interface Row {
  readonly server: string
  readonly command: string
  /** What its entry has besides. */
  readonly keys: Readonly<Record<string, unknown>>
  readonly isTested: boolean
}

const PAGE = join(import.meta.dirname, '../../docs/databases-and-one-shot-apps.md')
/** It has a test of its own, with its data. */
const ELSEWHERE = 'MariaDB'

/** What stands in code on a cell of the table. */
const code = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text.replaceAll(String.raw`\|`, '|'))

function rowsOfManual(): readonly Row[] {
  const [, table = ''] = readFileSync(PAGE, 'utf8').split(/^\| server \|.*\n\|[-|]+\n/m)
  const lines = table.split('\n').filter((_, at, all) => all.slice(0, at + 1).every(each => each.startsWith('|')))
  return lines.map(line => {
    const [, server = '', commands = '', more = '', test = ''] = line.split(/(?<!\\)\|/).map(cell => cell.trim())
    const [command = '', ...withKeys] = code(commands)
    const parts = [...withKeys, ...code(more)]
    const keys = parts.filter(part => /^\w+: /.test(part)).map(part => parse(part) as Record<string, unknown>)
    const ready = parts.find(part => !/^\w+: /.test(part))
    return {
      server,
      command,
      keys: Object.assign({}, ready !== undefined && {ready: {command: ['sh', '-c', ready]}}, ...keys) as Row['keys'],
      isTested: test.startsWith('yes')
    }
  })
}

const programOf = ({command}: Row): string => /exec (\S+)/.exec(command)?.[1] ?? ''

/** A MariaDB has the names of MySQL's programs, too, and is set up in another way. */
const isThere = (program: string, server: string): boolean => {
  const {stdout, status} = spawnSync(program, ['--version'], {encoding: 'utf8'})
  return status === 0 && (server === 'MariaDB' || !stdout.includes('MariaDB'))
}

const portIn = async (rig: Rig, folder: string): Promise<number> => {
  const [row] = JSON.parse((await rig.run(['ps', 'server', '-o', 'json'], {folder})).stdout) as readonly PsRow[]
  return row?.appPort ?? 0
}

t.test('the servers of the table in the manual: each copy has its own', async t => {
  const rows = rowsOfManual()
  t.ok(rows.length > 4, 'the table was found')
  for (const row of rows.filter(({server}) => server !== ELSEWHERE)) {
    const program = programOf(row)
    // of those that the manual does not call tested the system has no package
    const skip = isThere(program, row.server) ? false : row.isTested ? missing(program) : `${program} is not installed`
    await t.test(row.server, {skip}, async t => {
      const rig = await openRig(t)
      const {command, keys} = row
      const [smtp = 0] = await freePorts(1)
      const app = {appID: 'server', appDirPath: './server', appPort: await freePort(), command: ['sh', '-c', command]}
      const text = JSON.stringify({version: 1, apps: [{...app, ...keys}]}).replace('"1025"', `"${smtp}"`)
      await writeWorktrees(rig, {'dapr.yaml': text, 'server/README.md': ''})
      const runs = ['main', 'pr'].map(folder => ({folder, run: () => rig.pillion(['up'], {folder})}))
      for (let times = 0; times < 2; times++) {
        const started = []
        for (const {folder, run} of runs) {
          started.push(run())
          t.match(await rig.run(['wait', '--for', 'ready'], {folder}), {code: 0}, `${folder}, start ${times + 1}`)
          t.ok(existsSync(join(rig.folder, folder, 'server/data')))
        }
        const [one, other] = [await portIn(rig, 'main'), await portIn(rig, 'pr')]
        t.equal(one, app.appPort)
        t.not(other, one)
        for (const each of started.toReversed()) {
          t.match(await each.end('SIGINT'), {code: 0})
        }
      }
      t.same(await rig.leftovers(), [])
    })
  }
})
