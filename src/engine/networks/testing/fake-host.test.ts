// The fake host keeps to the contract of the network doors; this host: test/networks/doors.test.ts.

import { openHostPort } from '../../../host/firewall/host-port.ts';
import { firewallContract, hostPortsContract, linksContract } from './doors-contract.ts';
import { FakeHost } from './fake-host.ts';

const open = async () => {
  const doors = new FakeHost();
  const namespace = async (): Promise<number> => {
    doors.processes.add(doors.processes.size + 1);
    return doors.processes.size;
  };
  return { doors, namespace, [Symbol.asyncDispose]: async () => {} };
};

linksContract('the fake host', open);
firewallContract('the fake host', open);
hostPortsContract('the fake host', async () => new FakeHost());
hostPortsContract('this host', async () => ({ openHostPort }));
