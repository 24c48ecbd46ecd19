import {existsSync} from 'node:fs'
import type {AppPlan} from '../../model/plan.ts'

/**
 * The shell that a program is started through. dash drops variables whose names hold a point, as those of Daeploy do;
 * bash keeps them.
 */
export const shellFor = ({fixedPort}: AppPlan): string =>
  fixedPort > 0 ? (['/bin/bash', '/usr/bin/bash'].find(path => existsSync(path)) ?? '/bin/sh') : '/bin/sh'
