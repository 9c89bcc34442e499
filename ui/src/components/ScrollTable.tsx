import { Table, type TableProps } from "@mantine/core";
import classes from "./ScrollTable.module.css";

/** A table in a box of its own that scrolls sideways, so that the page does not. */
export function ScrollTable({ label, labelledBy, ...table }: TableProps & { label: string; labelledBy?: string }) {
  return (
    <section
      className={classes.box}
      tabIndex={0}
      {...(labelledBy ? { "aria-labelledby": labelledBy } : { "aria-label": label })}
    >
      <Table verticalSpacing="xs" horizontalSpacing="sm" className={classes.table} {...table} />
    </section>
  );
}
