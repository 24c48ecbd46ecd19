// Writes build/release: the npm package, the executable for this platform, the script that installs it, and their sums. Publishes nothing.
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

const folder = 'build/release'
const {name, version} = JSON.parse(readFileSync('package.json', 'utf8'))
const executable = join(folder, `${name}-${version}-${process.platform}-${process.arch}`)
const run = (command, ...args) => execFileSync(command, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']})

run(process.execPath, 'scripts/binary.js')
rmSync(folder, {recursive: true, force: true})
mkdirSync(folder, {recursive: true})
cpSync('build/pillion', executable)
cpSync('scripts/install.sh', join(folder, 'install.sh'))
run('npm', 'pack', '--ignore-scripts', '--pack-destination', folder)

if (!run(executable, '--version').includes(version)) throw new Error(`${executable} does not call itself ${version}`)
const sums = readdirSync(folder).map(file => {
  const sum = createHash('sha256').update(readFileSync(join(folder, file)))
  return `${sum.digest('hex')}  ${file}\n`
})
writeFileSync(join(folder, 'SHA256SUMS'), sums.join(''))
console.log(sums.join('').trimEnd())
