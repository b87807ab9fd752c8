"""TRIPOD+AI: reporting of prediction models that use regression or machine learning.

Numbers and sections are those of the form: Collins G S, Moons K G M, Dhiman P, et al.
BMJ 2024;385:e078378, doi 10.1136/bmj-2023-078378, 27 items in 52 parts. The topics are
in our words; the form itself is the authority (docs/decisions/0020). The checklist for
abstracts, which item 2 refers to, is not drafted.
"""

from covid_cxr.report.documents import data_statements as data
from covid_cxr.report.documents import model_statements as model
from covid_cxr.report.documents import result_statements as results
from covid_cxr.report.documents.checklist import answer_all, item, under
from covid_cxr.report.documents.document import Document
from covid_cxr.report.documents.evidence import Evidence

SOURCE = (
    "Draft after TRIPOD+AI (Collins et al., BMJ 2024;385:e078378, doi "
    "10.1136/bmj-2023-078378). Numbers are those of the form, topics are shortened: "
    "submit the official form, with page numbers."
)

TITLE, ABSTRACT, INTRODUCTION = "Title", "Abstract", "Introduction"
METHODS, OPEN_SCIENCE = "Methods", "Open science"
INVOLVEMENT, RESULTS = "Patient and public involvement", "Results"
DISCUSSION = "Discussion"

QUESTIONS = (
    *under(
        TITLE,
        item(
            "1",
            "Development or evaluation, population and outcome",
            model.study_type,
            asked="the title, with the target population",
        ),
    ),
    *under(
        ABSTRACT,
        item(
            "2",
            "Abstract, by its own checklist",
            asked="the abstract, by TRIPOD+AI for Abstracts",
        ),
    ),
    *under(
        INTRODUCTION,
        item(
            "3a",
            "Healthcare context, rationale, earlier models",
            asked="context, rationale and earlier models",
        ),
        item(
            "3b",
            "Target population, purpose and users",
            model.not_a_device,
            asked="target population, place in the care pathway, intended users",
        ),
        item(
            "3c",
            "Known inequalities in health",
            asked="known inequalities between sociodemographic groups",
        ),
        item("4", "Objectives", model.study_type, asked="the objectives"),
    ),
    *under(
        METHODS,
        item(
            "5a",
            "Sources of the data, why these, how representative",
            data.sources,
            asked="rationale, and how representative the data are",
        ),
        item("5b", "Dates of the data", asked="first and last date of the radiographs"),
        item(
            "6a",
            "Setting, number and place of the centres",
            data.sites,
            asked="setting and places of the centres",
        ),
        item(
            "6b",
            "Eligibility",
            data.eligibility,
            asked="criteria by which patients came into the cohort",
        ),
        item(
            "6c",
            "Treatments",
            asked="treatments before the radiograph, such as ventilation, if relevant",
        ),
        item(
            "7",
            "Preparation and checking of the data",
            data.preprocessing,
            data.participant_flow,
            asked="whether it was alike across sociodemographic groups",
        ),
        item(
            "8a",
            "Outcome, how and when it was assessed",
            data.reference_standard,
            asked="time between test and radiograph, and whether groups were "
            "tested alike",
        ),
        item(
            "8b",
            "Who assessed the outcome, if by judgement",
            asked="qualification and demographics of those who judged, or that "
            "none did",
        ),
        item(
            "8c",
            "Blinding of the outcome",
            asked="whether the outcome was assessed without sight of the radiograph",
        ),
        item("9a", "Choice of predictors", data.predictors),
        item(
            "9b",
            "Definition and measurement of predictors",
            data.predictors,
            data.views,
            asked="equipment, and when radiographs were taken",
        ),
        item("9c", "Who assessed predictors, if by judgement", data.predictors),
        item(
            "10",
            "Size of the study",
            results.detectable,
            asked="how the size was arrived at, and whether it suffices",
        ),
        item("11", "Missing data", data.missing_values, data.eligibility),
        item("12a", "Use of the data: parts", data.partitions, data.held_apart),
        item("12b", "Handling of predictors", data.preprocessing),
        item(
            "12c",
            "Type of model, how it was built and validated internally",
            model.network,
            model.initialisation,
            model.training,
            model.selection,
        ),
        item(
            "12d",
            "Heterogeneity across clusters",
            results.uncertainty,
            results.site_subgroups,
        ),
        item(
            "12e",
            "Measures and plots of performance, comparison of models",
            results.metrics,
            results.uncertainty,
        ),
        item("12f", "Updating of the model", results.recalibration),
        item("12g", "How predictions were calculated", model.weights, model.output),
        item("13", "Class imbalance", model.class_imbalance),
        item(
            "14",
            "Fairness",
            results.subgroups,
            asked="approaches to fairness, and their rationale",
        ),
        item(
            "15",
            "Output, classification and thresholds",
            model.output,
            results.thresholds,
        ),
        item(
            "16",
            "Differences between development and evaluation data",
            data.training_against_test,
        ),
        item(
            "17",
            "Ethical approval and consent",
            asked="ethics committee, its decision, consent or waiver",
        ),
    ),
    *under(
        OPEN_SCIENCE,
        item("18a", "Funding", asked="funding, and the funders' role"),
        item(
            "18b", "Conflicts of interest", asked="conflicts of interest of all authors"
        ),
        item(
            "18c",
            "Protocol",
            model.protocol,
            asked="where the protocol is, or that none was written",
        ),
        item(
            "18d",
            "Registration",
            asked="register and number, or that the study was not registered",
        ),
        item(
            "18e",
            "Sharing of data",
            data.sources,
            asked="how the group's own data can be had",
        ),
        item(
            "18f", "Sharing of code", model.code, asked="where this code is published"
        ),
    ),
    *under(
        INVOLVEMENT,
        item(
            "19",
            "Involvement of patients and the public",
            asked="their involvement, or that there was none",
        ),
    ),
    *under(
        RESULTS,
        item(
            "20a",
            "Flow of participants, with and without the outcome",
            data.participant_flow,
            data.outcome_counts,
        ),
        item(
            "20b",
            "Characteristics, overall and by source",
            data.demographics,
            data.missing_values,
            asked="dates, treatments, and clinical characteristics",
        ),
        item("20c", "Evaluation data beside development data", data.demographics),
        item("21", "Participants and outcomes in each analysis", data.outcome_counts),
        item(
            "22",
            "The full model, for use on new patients",
            model.network,
            model.weights,
            asked="where the file can be had, and restrictions on its use",
        ),
        item(
            "23a",
            "Performance with intervals, also by subgroup",
            results.performance,
            results.operating_points,
            results.calibration,
            results.subgroups,
        ),
        item(
            "23b",
            "Heterogeneity of performance across clusters",
            results.site_subgroups,
            results.unseen_sites,
        ),
        item("24", "Results of updating", results.calibration),
    ),
    *under(
        DISCUSSION,
        item(
            "25",
            "Interpretation, fairness included",
            asked="interpretation, beside earlier studies",
        ),
        item(
            "26",
            "Limitations",
            results.limitations,
            asked="limitations of the cohort that the run cannot know",
        ),
        item(
            "27a",
            "Poor or missing input in use",
            data.unreadable,
            asked="what a user should do with radiographs of poor quality",
        ),
        item(
            "27b",
            "What users have to do and to know",
            asked="handling by users, and the expertise it takes",
        ),
        item(
            "27c",
            "Next steps",
            asked="next steps of research, with a view to other hospitals",
        ),
    ),
)


def fill_tripod_ai(evidence: Evidence) -> Document:
    """Return the draft of the TRIPOD+AI form."""
    return Document(
        name="tripod_ai",
        title="TRIPOD+AI: draft",
        source=SOURCE,
        notices=data.notices(evidence),
        items=answer_all(QUESTIONS, evidence),
    )
