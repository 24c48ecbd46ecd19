// A package of Debian from an executable (deb(5)): two archives of tar and a version, in an archive of ar(5).
import {execFileSync} from 'node:child_process'
import {chmodSync, copyFileSync, mkdirSync, rmSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'

const ARCHITECTURES = {'linux-x64': 'amd64', 'linux-arm64': 'arm64'}

/** Where shells look for what they complete. */
const COMPLETIONS = {
  bash: 'usr/share/bash-completion/completions/pillion',
  zsh: 'usr/share/zsh/vendor-completions/_pillion',
  fish: 'usr/share/fish/vendor_completions.d/pillion.fish'
}

/** Writes the package of an executable into a folder, and gives its name. Needs GNU tar and ar. */
export function makeDeb({executable, target, version, licences, completions, folder}) {
  const architecture = ARCHITECTURES[target]
  const room = join(folder, 'deb')
  const at = (...names) => join(room, ...names)
  rmSync(room, {recursive: true, force: true})
  for (const name of ['control', 'data/usr/bin', 'data/usr/share/doc/pillion']) mkdirSync(at(name), {recursive: true})
  copyFileSync(executable, at('data/usr/bin/pillion'))
  chmodSync(at('data/usr/bin/pillion'), 0o755)
  copyFileSync('LICENSE', at('data/usr/share/doc/pillion/copyright'))
  writeFileSync(at('data/usr/share/doc/pillion/third-party-licences'), licences)
  for (const [shell, place] of Object.entries(COMPLETIONS)) {
    mkdirSync(dirname(at('data', place)), {recursive: true})
    writeFileSync(at('data', place), completions[shell])
  }
  // as Node asks for them: glibc 2.28, and libatomic, which slim images lack
  const fields = {
    Package: 'pillion',
    Version: version,
    Architecture: architecture,
    Maintainer: 'The authors of Pillion <pillion@localhost>',
    Depends: 'libc6 (>= 2.28), libstdc++6, libatomic1',
    Section: 'devel',
    Priority: 'optional',
    Description: 'Runs a template of microservices with their Dapr sidecars in one process'
  }
  writeFileSync(
    at('control/control'),
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\n`)
      .join('')
  )
  writeFileSync(at('debian-binary'), '2.0\n')
  const tar = name =>
    execFileSync('tar', [
      '-czf',
      at(`${name}.tar.gz`),
      '--owner=0',
      '--group=0',
      '--sort=name',
      '--mtime=@0',
      '-C',
      at(name),
      '.'
    ])
  tar('control')
  tar('data')
  const name = `pillion_${version}_${architecture}.deb`
  rmSync(join(folder, name), {force: true})
  execFileSync('ar', ['rcD', join('..', name), 'debian-binary', 'control.tar.gz', 'data.tar.gz'], {cwd: room})
  rmSync(room, {recursive: true})
  return name
}
