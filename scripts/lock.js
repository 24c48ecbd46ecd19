// Completes package-lock.json with the platform builds that the registry in use does not list.
import {readFileSync, writeFileSync} from 'node:fs'
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')),
  {packages} = lock
for (const [at, {dev, optionalDependencies = {}}] of Object.entries(packages).filter(([at]) => at !== ''))
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (packages[`${at}/node_modules/${name}`] || packages[`node_modules/${name}`]) continue
    const os = /android|darwin|freebsd|linux|openharmony|win32/.exec(name)?.[0],
      libc = /musl|gnu/.exec(name)?.[0].replace('gnu', 'glibc')
    const cpu = /(arm64|arm|x64|ia32|ppc64|riscv64|s390x)(?![a-z0-9])/.exec(name)?.[0]
    if (!os || !cpu) throw new Error(`what platform is ${name} for?`)
    packages[`node_modules/${name}`] = {version, dev, optional: true, os: [os], cpu: [cpu], ...(libc && {libc: [libc]})}
  }
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync('package-lock.json', JSON.stringify(lock, null, 2) + '\n')
