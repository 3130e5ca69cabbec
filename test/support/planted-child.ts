// Plants the fault that `PLANTED_FAULT` names in the sources of this process, in memory.
//
// `catalogue.test.ts` starts tests with it: `node --import` this file.
import { registerHooks } from 'node:module';
import { plantedText } from '../../src/cli/planted-sources.ts';
import { plantedFaults } from '../../src/sim/planted/all.ts';

const SRC: string = new URL('../../src/', import.meta.url).href;
const name: string | undefined = process.env['PLANTED_FAULT'];
const fault = plantedFaults.find((one) => one.name === name);
if (fault === undefined) throw new Error(`there is no planted fault of the name ${name}`);
const files = new Set(fault.changes.map(({ file }) => file));

registerHooks({
  load(url, context, next) {
    const file = url.startsWith(SRC) ? url.slice(SRC.length) : '';
    if (!files.has(file)) return next(url, context);
    return { format: 'module-typescript', source: plantedText(file, fault), shortCircuit: true };
  },
});
