import { NativeSelect, Tabs } from "@mantine/core";
import type { ReactNode } from "react";

export interface PageTab {
  value: string;
  label: string;
  content(): ReactNode;
}

/** The parts of a page. Where tabs would not fit into one line there is a select instead. */
export function PageTabs({ tabs, value, onChange }: { tabs: PageTab[]; value: string; onChange(value: string): void }) {
  return (
    <Tabs value={value} onChange={(chosen) => chosen && onChange(chosen)} keepMounted={false}>
      <NativeSelect
        hiddenFrom="sm"
        aria-label="Section"
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
        data={tabs.map((tab) => ({ value: tab.value, label: tab.label }))}
      />
      <Tabs.List visibleFrom="sm">
        {tabs.map((tab) => (
          <Tabs.Tab key={tab.value} value={tab.value}>
            {tab.label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((tab) => (
        <Tabs.Panel key={tab.value} value={tab.value} pt="md">
          {tab.value === value && tab.content()}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
