// Writes build/release: the npm package, an executable for each platform, packages of Debian, Red Hat and Alpine, a formula of
// Homebrew, the script that installs, what is inside, and the sums of all. `npm run release -- linux-x64` makes that platform's alone.
// Publishes nothing.
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {constants, gzipSync} from 'node:zlib'
import {makeBill} from './bill.js'
import {formulaOf} from './formula.js'
import {manPageOf} from './man-page.js'
import {packExecutable, packForAlpine} from './linux-packages.js'
import {stepsLeft} from './release-steps.js'
import {HERE, TARGETS} from './targets.js'

/** A release of this size is a mistake. */
const MAX_BYTES = 47_000_000
const folder = 'build/release'
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const {name, version} = manifest
const targets = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(TARGETS)
const fileOf = target => `${name}-${version}-${target}.gz`
const run = (command, ...args) => execFileSync(command, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']})
const sumOf = file =>
  createHash('sha256')
    .update(readFileSync(join(folder, file)))
    .digest('hex')

run(process.execPath, 'scripts/binary.js', ...targets)
rmSync(folder, {recursive: true, force: true})
mkdirSync(folder, {recursive: true})
const {bill, licences} = await makeBill({name, version, node: process.versions.node})
writeFileSync(join(folder, 'sbom.cdx.json'), bill)
writeFileSync(join(folder, 'third-party-licences.txt'), licences)
const completions = Object.fromEntries(
  ['bash', 'zsh', 'fish'].map(shell => [shell, run(process.execPath, 'bin/pillion.js', 'completion', shell)])
)
const manPage = manPageOf({version, help: run(process.execPath, 'bin/pillion.js', '--help')})
const papers = {version, licences, completions, manPage, folder}
for (const target of targets) {
  const executable = join('build', `${name}-${target}`)
  if (target === HERE && !run(executable, '--version').includes(version))
    throw new Error(`${executable} does not call itself ${version}`)
  const packed = gzipped(executable)
  if (packed.length > MAX_BYTES) throw new Error(`${fileOf(target)} has ${packed.length} bytes`)
  writeFileSync(join(folder, fileOf(target)), packed)
  if (target.startsWith('linux')) packExecutable({executable, target, ...papers})
}
cpSync('scripts/install.sh', join(folder, 'install.sh'))
run('npm', 'pack', '--ignore-scripts', '--pack-destination', folder)
const unpacked = 'build/npm'
rmSync(unpacked, {recursive: true, force: true})
mkdirSync(unpacked)
run('tar', '-xzf', join(folder, `${name}-${version}.tgz`), '-C', unpacked)
packForAlpine({npm: join(unpacked, 'package'), ...papers})
if (targets.length === Object.keys(TARGETS).length) {
  const sums = Object.fromEntries(targets.map(target => [target, sumOf(fileOf(target))]))
  const url = process.env.PILLION_RELEASE_URL ?? 'URL'
  writeFileSync(join(folder, `${name}.rb`), formulaOf({version, url, sums, fileOf}))
}
const files = readdirSync(folder)
writeFileSync(join(folder, 'SHA256SUMS'), files.map(file => `${sumOf(file)}  ${file}\n`).join(''))
const {PILLION_SIGNING_KEY: key = ''} = process.env
if (key !== '') {
  run('gpg', '--batch', '--yes', '--local-user', key, '--armor', '--detach-sign', join(folder, 'SHA256SUMS'))
  files.push('SHA256SUMS.asc')
}
for (const file of files) console.log(`${(statSync(join(folder, file)).size / 1e6).toFixed(1).padStart(6)} MB  ${file}`)
const left = stepsLeft({
  manifest,
  textOf: file => readFileSync(file, 'utf8'),
  tags: run('git', 'tag', '--points-at', 'HEAD').split('\n'),
  isClean: run('git', 'status', '--porcelain') === '',
  isSigned: key !== ''
})
console.log(['\nNothing was published. Left for a person:', ...left].join('\n- '))

/** By libdeflate, where it is there: 7 % smaller than zlib's. */
function gzipped(file) {
  try {
    return execFileSync('libdeflate-gzip', ['-12', '-c', file], {maxBuffer: 4 * MAX_BYTES})
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
    console.error('no libdeflate-gzip (libdeflate-tools): the downloads will be larger than they need be')
    return gzipSync(readFileSync(file), {level: constants.Z_BEST_COMPRESSION})
  }
}
