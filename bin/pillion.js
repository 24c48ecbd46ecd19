#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number)
if (process.platform === 'win32') {
  console.error('pillion does not run on Windows itself: use WSL')
  process.exitCode = 1
} else if (major < 22 || (major === 22 && minor < 22)) {
  console.error(`pillion needs Node 22.22 or newer, this is ${process.versions.node}`)
  process.exitCode = 1
} else {
  require('./start.cjs')
}
