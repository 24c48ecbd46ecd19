// Packages of Debian and Red Hat from an executable, and of Alpine from the npm package, since its libc is another one. nfpm makes
// them all (nfpm.goreleaser.com); Go runs it, so Go is needed.
import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {gzipSync} from 'node:zlib'
import {stringify} from 'yaml'

/** The last version that can be built from what Go's proxy has. */
const NFPM = 'github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.43.4'
const ARCHITECTURES = {'linux-x64': 'amd64', 'linux-arm64': 'arm64'}

/** Where shells look for what they complete. */
const COMPLETIONS = {
  bash: '/usr/share/bash-completion/completions/pillion',
  zsh: '/usr/share/zsh/vendor-completions/_pillion',
  fish: '/usr/share/fish/vendor_completions.d/pillion.fish'
}
/** Red Hat and Alpine keep those of zsh elsewhere. */
const SITE_FUNCTIONS = '/usr/share/zsh/site-functions/_pillion'

/**
 * Writes the packages of an executable into a folder, and gives their names. `completions` are texts by shell, `licences` is the text of
 * those of others, `manPage` that of man(1).
 */
export function packExecutable({executable, target, folder, ...papers}) {
  const file = {...common(papers), arch: ARCHITECTURES[target]}
  const program = {src: resolve(executable), dst: '/usr/bin/pillion', file_info: {mode: 0o755}}
  // as Node asks for them: glibc 2.28, and libatomic, which slim images lack
  return [
    pack('deb', folder, {...file, depends: ['libc6 (>= 2.28)', 'libstdc++6', 'libatomic1']}, [program]),
    pack('rpm', folder, {...file, depends: ['glibc >= 2.28', 'libstdc++', 'libatomic']}, [program])
  ]
}

/** Writes Alpine's package of a folder that holds what the npm package does, and gives its name. */
export function packForAlpine({npm, folder, ...papers}) {
  const file = {...common(papers), arch: 'noarch', depends: ['nodejs>=22.22']}
  const library = '/usr/lib/node_modules/pillion'
  return [
    pack('apk', folder, file, [
      {src: resolve(npm), dst: library, type: 'tree'},
      {src: `${library}/bin/pillion.js`, dst: '/usr/bin/pillion', type: 'symlink'}
    ])
  ]
}

/** Whoever publishes it writes both into package.json. */
const {author = 'The authors of Pillion <pillion@localhost>', homepage = ''} = JSON.parse(
  readFileSync('package.json', 'utf8')
)

const common = ({version, licences, completions, manPage}) => ({
  name: 'pillion',
  version,
  maintainer: author,
  ...(homepage !== '' && {homepage}),
  description: 'Runs a template of microservices with their Dapr sidecars in one process',
  section: 'devel',
  license: 'Apache-2.0',
  // the same files make the same package
  mtime: '1970-01-01T00:00:00Z',
  rpm: {buildhost: 'localhost', compression: 'zstd'},
  deb: {compression: 'zstd'},
  licences,
  completions,
  manPage
})

function pack(kind, folder, {licences, completions, manPage, ...file}, program) {
  const room = mkdtempSync(join(tmpdir(), 'pillion-package-'))
  const text = (name, content, dst) => {
    writeFileSync(join(room, name), content)
    return {src: join(room, name), dst, file_info: {mode: 0o644}}
  }
  const contents = [
    ...program,
    {src: resolve('LICENSE'), dst: '/usr/share/doc/pillion/copyright', file_info: {mode: 0o644}},
    text('pillion.1.gz', gzipSync(manPage), '/usr/share/man/man1/pillion.1.gz'),
    text('licences', licences, '/usr/share/doc/pillion/third-party-licences'),
    ...Object.entries(COMPLETIONS).map(([shell, place]) =>
      text(shell, completions[shell], shell === 'zsh' && kind !== 'deb' ? SITE_FUNCTIONS : place)
    )
  ]
  try {
    mkdirSync(folder, {recursive: true})
    writeFileSync(join(room, 'nfpm.yaml'), stringify({...file, contents}))
    const args = ['run', NFPM, 'package', '--packager', kind, '--config', join(room, 'nfpm.yaml'), '--target', folder]
    const said = execFileSync('go', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit']})
    return /created package: (\S+)/.exec(said)[1].split('/').at(-1)
  } catch (error) {
    if (error.code === 'ENOENT') throw new Error('packages need Go: https://go.dev/dl', {cause: error})
    throw error
  } finally {
    rmSync(room, {recursive: true})
  }
}
