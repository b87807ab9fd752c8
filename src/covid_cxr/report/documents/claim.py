"""CLAIM, the Checklist for Artificial Intelligence in Medical Imaging, update of 2024.

Numbers and sections are those of the form: Tejani A S, Klontzas M E, Gatti A A, et al.
Radiol Artif Intell 2024;6(4):e240300, doi 10.1148/ryai.240300. The topics are in our
words; the form itself is the authority (docs/decisions/0020).
"""

from covid_cxr.report.documents import data_statements as data
from covid_cxr.report.documents import model_statements as model
from covid_cxr.report.documents import result_statements as results
from covid_cxr.report.documents.checklist import answer_all, item, under
from covid_cxr.report.documents.document import Document
from covid_cxr.report.documents.evidence import Evidence

SOURCE = (
    "Draft after CLAIM 2024 (Tejani et al., Radiol Artif Intell 2024;6(4):e240300, "
    "doi 10.1148/ryai.240300). Numbers are those of the form, topics are shortened: "
    "submit the official form, with page and line numbers."
)

TITLE, ABSTRACT, INTRODUCTION = "Title", "Abstract", "Introduction"
DESIGN, DATA = "Methods: study design", "Methods: data"
REFERENCE, PARTITIONS = "Methods: reference standard", "Methods: data partitions"
TESTING_DATA, MODEL = "Methods: testing data", "Methods: model"
TRAINING, EVALUATION = "Methods: training", "Methods: evaluation"
RESULTS_DATA, RESULTS = "Results: data", "Results: model performance"
DISCUSSION, OTHER = "Discussion", "Other information"

QUESTIONS = (
    *under(
        TITLE,
        item(
            "1",
            "AI study, and which kind of AI",
            model.study_type,
            asked="the title, which says so",
        ),
    ),
    *under(
        ABSTRACT,
        item(
            "2",
            "Design, methods, results and conclusions in short",
            results.performance,
            asked="the abstract",
        ),
    ),
    *under(
        INTRODUCTION,
        item(
            "3",
            "Background, and the role meant for the AI",
            asked="scientific and clinical background, intended use and role",
        ),
        item(
            "4",
            "Aims and hypotheses",
            model.study_type,
            asked="aims and hypotheses, with the date at which they were set",
        ),
    ),
    *under(
        DESIGN,
        item(
            "5",
            "Prospective or retrospective",
            asked="prospective or retrospective collection of the cohort that "
            "is tested on",
        ),
        item(
            "6",
            "Goal of the study",
            model.study_type,
            asked="the goal: feasibility, development, comparison with readers …",
        ),
    ),
    *under(
        DATA,
        item(
            "7",
            "Sources of the data",
            data.sources,
            asked="approvals, licences and the years of collection",
        ),
        item(
            "8",
            "Inclusion and exclusion",
            data.eligibility,
            asked="how, where and when patients were found eligible",
        ),
        item("9", "Pre-processing", data.preprocessing),
        item("10", "Selection of subsets", data.subsets),
        item(
            "11",
            "De-identification",
            data.pseudonyms,
            asked="how images and tables were de-identified before they came "
            "to the study",
        ),
        item("12", "Missing data", data.missing_values),
        item(
            "13",
            "Acquisition of the images",
            data.views,
            asked="equipment, manufacturers and acquisition settings",
        ),
    ),
    *under(
        REFERENCE,
        item(
            "14",
            "How the reference standard was obtained",
            data.reference_standard,
            asked="the test, its timing to the radiograph, and its laboratories",
        ),
        item(
            "15",
            "Why this reference standard",
            asked="the rationale, and what it misses",
        ),
        item(
            "16",
            "Where annotations come from",
            data.reference_standard,
            asked="who annotated the group's own images, with which qualification",
        ),
        item(
            "17",
            "Annotation of the test set",
            asked="whether test labels were made otherwise than those of training",
        ),
        item(
            "18",
            "Variability between and within raters",
            asked="variability of the annotations, or that none was measured",
        ),
    ),
    *under(
        PARTITIONS,
        item("19", "How radiographs came into their part", data.partitions),
        item("20", "Level at which the parts are disjoint", data.held_apart),
    ),
    *under(
        TESTING_DATA,
        item(
            "21",
            "Intended size of the test set",
            results.detectable,
            asked="which size was intended before the study, and why",
        ),
    ),
    *under(
        MODEL,
        item("22", "The model in detail", model.network, model.output),
        item("23", "Software and its versions", model.software, model.code),
        item("24", "Initial weights", model.initialisation),
    ),
    *under(
        TRAINING,
        item("25", "How it was trained", model.training, model.cost),
        item("26", "How the final model was chosen", model.selection),
        item("27", "Ensembles", results.ensembles),
    ),
    *under(
        EVALUATION,
        item("28", "Measures of performance", results.metrics),
        item("29", "Uncertainty and significance", results.uncertainty),
        item(
            "30",
            "Robustness",
            results.seeds,
            results.shortcuts,
            results.masked_lungs,
            asked="further sensitivity analyses",
        ),
        item(
            "31",
            "Explainability",
            results.explanations,
            results.map_checks,
            asked="how readers judged the maps, if they did",
        ),
        item("32", "Evaluation on internal data", results.performance),
        item(
            "33",
            "Testing on external data",
            data.external_data,
            results.unseen_sites,
            asked="external data, if any, or why there are none",
        ),
        item(
            "34",
            "Registration of a trial",
            asked="register and number, or that it is no trial",
        ),
    ),
    *under(
        RESULTS_DATA,
        item(
            "35",
            "Included and excluded, in numbers",
            data.participant_flow,
            data.eligibility,
        ),
        item(
            "36",
            "Characteristics of each part",
            data.demographics,
            data.outcome_counts,
            asked="clinical characteristics that the tables do not hold",
        ),
    ),
    *under(
        RESULTS,
        item(
            "37",
            "Performance with its uncertainty",
            results.performance,
            results.comparison,
            results.calibration,
        ),
        item(
            "38",
            "Diagnostic performance and its precision",
            results.operating_points,
            results.subgroups,
        ),
        item(
            "39",
            "Analysis of errors",
            results.errors,
            asked="what wrongly called radiographs have in common",
        ),
    ),
    *under(
        DISCUSSION,
        item(
            "40",
            "Limitations",
            results.limitations,
            asked="limitations of the cohort that the run cannot know",
        ),
        item(
            "41",
            "What follows for practice",
            model.not_a_device,
            asked="implications for practice",
        ),
    ),
    *under(
        OTHER,
        item(
            "42",
            "Protocol and technical details",
            model.protocol,
            asked="the study protocol, if it was written down before",
        ),
        item(
            "43",
            "Availability of software, model and data",
            model.code,
            model.weights,
            data.sources,
            asked="where model and data can be had, by whom",
        ),
        item(
            "44",
            "Funding and the funders' role",
            asked="funding, and the funders' role",
        ),
    ),
)


def fill_claim(evidence: Evidence) -> Document:
    """Return the draft of the CLAIM 2024 form."""
    return Document(
        name="claim_2024",
        title="CLAIM 2024: draft",
        source=SOURCE,
        notices=data.notices(evidence),
        items=answer_all(QUESTIONS, evidence),
    )
