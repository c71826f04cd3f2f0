"""Every job the workers know, one per file; importing this package registers them."""

from workers.jobs import (
    allocate_waiting_demand,
    check_overdue_supplies,
    compute_repromising_run,
    expire_lots,
    expire_reservations,
    ingest_edi_document,
    plan_shipments,
    propose_rebalancing,
    publish_repromising_run,
    purge_history,
    raise_purchase_request,
    reconcile_stock,
    review_backorders,
    review_stock,
    run_backorder_course,
    run_hold_deadlines,
    run_option_deadlines,
    run_simulation,
    seal_ledgers,
    send_notices,
    send_purchase_order,
    start_due_repromising,
    sweep_lost_work,
    write_edi_files,
)

ALL_JOBS = tuple(
    module.__name__.rpartition(".")[2]
    for module in (
        allocate_waiting_demand,
        check_overdue_supplies,
        compute_repromising_run,
        expire_lots,
        expire_reservations,
        ingest_edi_document,
        plan_shipments,
        propose_rebalancing,
        publish_repromising_run,
        purge_history,
        raise_purchase_request,
        reconcile_stock,
        review_backorders,
        review_stock,
        run_backorder_course,
        run_hold_deadlines,
        run_option_deadlines,
        run_simulation,
        seal_ledgers,
        send_notices,
        send_purchase_order,
        start_due_repromising,
        sweep_lost_work,
        write_edi_files,
    )
)
"""Their names: file, function and `job_run.function` are the same word."""
