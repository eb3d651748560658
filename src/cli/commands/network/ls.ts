// Owns `network ls`.
import type { Network } from '../../../spec/docker/types.gen.ts';
import { filtersOrNone } from '../../filters.ts';
import { networkLs } from '../../grammar/network.table.ts';
import { type ListStyle, readListFormat, renderList } from '../../render/list.ts';
import { naturalCompare } from '../../render/natural-order.ts';
import { goNanoTimeText, shortId } from '../../render/units.ts';
import type { Command } from '../../session.ts';
import { type TemplateMap, TYPE_NAME } from '../../template/index.ts';

/** Formats of `network ls`. @source docker 28.2.2 */
const STYLE: ListStyle = {
  table: '{{.ID}}\\t{{.Name}}\\t{{.Driver}}\\t{{.Scope}}',
  quiet: '{{.ID}}',
  raw: 'network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n',
  headings: {
    ID: 'NETWORK ID',
    Name: 'NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    IPv4: 'IPV4',
    IPv6: 'IPV6',
    Internal: 'INTERNAL',
    Labels: 'LABELS',
    CreatedAt: 'CREATED AT',
  },
};

/** Lists networks. */
export const command: Command = {
  spec: networkLs,
  run: async (session, { flags }) => {
    const quiet = flags.bool('quiet');
    const source = flags.text('format') || (quiet ? '' : session.config().format('networksFormat'));
    const format = readListFormat(source, quiet, STYLE);
    const listed = await session.client().networks.list(filtersOrNone(flags.list('filter')));
    const networks = listed.toSorted((left, right) => naturalCompare(left.Name ?? '', right.Name ?? ''));
    const trunc = !flags.bool('no-trunc');
    session.out(
      renderList(
        format,
        STYLE,
        networks.map((network) => networkRow(network, trunc)),
      ),
    );
    return 0;
  },
};

function networkRow(network: Network, trunc: boolean): TemplateMap {
  const labels = network.Labels ?? {};
  return {
    [TYPE_NAME]: '*network.networkContext',
    CreatedAt: () => goNanoTimeText(network.Created ?? ''),
    Driver: () => network.Driver ?? '',
    ID: () => (trunc ? shortId(network.Id ?? '') : (network.Id ?? '')),
    IPv4: () => String(network.EnableIPv4 ?? false),
    IPv6: () => String(network.EnableIPv6 ?? false),
    Internal: () => String(network.Internal ?? false),
    Label: (name: unknown) => labels[String(name)] ?? '',
    Labels: () =>
      Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(','),
    Name: () => network.Name ?? '',
    Scope: () => network.Scope ?? '',
  };
}
