const isDisguised = process.env['PILLION']?.endsWith('/disguise/pillion') === true

/** The program under test is the executable, which has all of its code in itself and opens no file for it. */

/** For `skip`: the reason, where the program under test takes this machine for a Mac (`test/runner/disguise.ts`). */
export const inDisguise = (reason: string): string | false => (isDisguised ? reason : false)
