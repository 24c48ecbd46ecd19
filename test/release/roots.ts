/** Roots of Debian, for the tests of its packages. Run by itself, it makes them: that takes minutes, more than a test may. */
import {installed, type Package} from '../sdks/installed.ts'

/** 12 and 13. */
export const RELEASES = ['bookworm', 'trixie']

/** The smallest system that can install packages. */
export const debian = (release: string): Package => ({
  name: 'debian',
  version: release,
  runtime: ['debootstrap', '--version'],
  install: folder => [['debootstrap', '--variant=minbase', release, folder]]
})

if (import.meta.main)
  for (const release of RELEASES) await installed({pass: (...why) => Boolean(console.log(...why))}, debian(release))
